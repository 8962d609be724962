import { dirname, join } from 'node:path';
import { formatSize, SET_ASIDE } from '../../../base';
import { DISK_NAMES, diskKind, mountOf } from '../../machine';
import { type Check, fail, ok, warn } from '../check';

/** Below this an ordinary image does not fit. */
const LITTLE_SPACE = 1e9;
/** A distribution's base image alone has ten thousand files. */
const FEW_INODES = 50_000;

export const space: Check = {
  id: 'space',
  area: 'storage',
  why: 'Images and the files of containers are kept there.',
  async look({ machine, dataDirectory }) {
    const free = await machine.free(dataDirectory);
    if (!free)
      return warn(
        `cannot tell for ${dataDirectory}`,
        'Choose a folder on a disk of this machine with --data.',
      );
    const detail = `${formatSize(free.bytes)} free for ${dataDirectory}`;
    if (free.bytes >= LITTLE_SPACE) return ok(detail);
    return warn(detail, 'garua prune removes what is not used; or choose another disk with --data.');
  },
};

export const inodes: Check = {
  id: 'inodes',
  area: 'storage',
  why: 'Each file of an unpacked image takes one; without any, a disk is full though it has space.',
  async look({ machine, dataDirectory }) {
    const free = await machine.free(dataDirectory);
    if (!free)
      return warn(
        `cannot tell for ${dataDirectory}`,
        'Choose a folder on a disk of this machine with --data.',
      );
    if (free.inodes === undefined) return ok('the file system makes them as needed');
    const detail = `${free.inodes} free`;
    if (free.inodes >= FEW_INODES) return ok(detail);
    return warn(detail, 'garua prune removes what is not used; or choose another disk with --data.');
  },
};

const NETWORK = /^(nfs4?|cifs|smb3?|smbfs|ceph|9p|afs|glusterfs|lustre|fuse\..+|fuse)$/;
const WITHOUT_OWNERS = /^(vfat|exfat|msdos|ntfs3?|fuseblk|hfs|hfsplus)$/;

export const dataDirectory: Check = {
  id: 'data-directory',
  area: 'storage',
  why: 'Its database and layers need a local file system with owners and locks; the NAS of a site is for objects.',
  async look({ machine, dataDirectory: path }) {
    const mount = await mountOf(machine, path);
    if (!mount) return warn(`cannot tell what ${path} lies on`, 'Mount /proc.');
    const detail = `${path} on ${mount.type}`;
    const elsewhere = 'Choose a folder on a local disk (ext4, xfs, btrfs) with --data.';
    if (mount.options.includes('ro')) {
      return fail(`${detail}, which is read-only`, `Mount it for writing. ${elsewhere}`);
    }
    if (NETWORK.test(mount.type)) return fail(`${detail}, a network file system`, elsewhere);
    if (WITHOUT_OWNERS.test(mount.type)) return fail(`${detail}, which keeps no owners`, elsewhere);
    if (mount.type === 'overlay') {
      return fail(`${detail}, on which the overlays of containers cannot be made`, elsewhere);
    }
    if (mount.type === 'tmpfs' || mount.type === 'ramfs') {
      return warn(`${detail}: images and containers are gone after a reboot`, elsewhere);
    }
    if (mount.device === undefined) return ok(detail);
    return ok(`${detail}, ${DISK_NAMES[await diskKind(machine, mount.device)]} (${mount.device})`);
  },
};

export const index: Check = {
  id: 'index',
  area: 'storage',
  why: 'It says what the host keeps: images, containers, members of the fog, messages that wait.',
  async look({ machine, dataDirectory: path }) {
    const names = await machine.list(path);
    const aside = names.filter((name) => name.includes(SET_ASIDE)).sort();
    if (aside.length === 0) return undefined;
    return warn(
      `it was damaged: ${aside.join(', ')} in ${path}`,
      'Look at garua ps, garua images and garua sites; messages that waited and local ports of services are lost. Check the disk, then remove the file.',
    );
  },
};

const POLICY = '/etc/garua/policy.json';
const WRITABLE_BY_OTHERS = 0o022;

export const policy: Check = {
  id: 'policy',
  area: 'storage',
  why: 'It says what those who may deploy may ask for; whoever can change it can become root. Until it is in order, nothing is deployed.',
  async look({ machine, dataDirectory: folder }) {
    const own = join(folder, 'policy.json');
    const path = (await machine.exists(own)) ? own : POLICY;
    const facts = await machine.facts(path);
    if (!facts) return ok(`no ${path}: members of the group garua may mount and use what they like`);
    const mode = facts.mode.toString(8).padStart(4, '0');
    const mend = `sudo chown root:root ${path} && sudo chmod 644 ${path}`;
    if (facts.userId !== 0 || facts.mode & WRITABLE_BY_OTHERS) {
      return fail(`others than root can change ${path} (owner ${facts.userId}, mode ${mode})`, mend);
    }
    const above = await machine.facts(dirname(path));
    if (above && (above.userId !== 0 || above.mode & WRITABLE_BY_OTHERS)) {
      return fail(
        `others than root can exchange ${path}, for its folder is theirs to write to`,
        `sudo chown root:root ${dirname(path)} && sudo chmod go-w ${dirname(path)}`,
      );
    }
    const text = await machine.read(path);
    if (text === undefined)
      return warn(`cannot tell: ${path} is not readable for this user`, 'Run it with sudo.');
    try {
      const document: unknown = JSON.parse(text);
      if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
        return ok(`${path}, mode ${mode}`);
      }
      return fail(`${path} is not a JSON object`, 'Mend the file, or remove it.');
    } catch (error) {
      return fail(`${path} is not JSON: ${(error as Error).message}`, 'Mend the file, or remove it.');
    }
  },
};
