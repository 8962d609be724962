import type { Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { DeviceMissingError, NotADeviceError } from '../errors';
import type { Policy } from '../policy';
import type { CompleteSpec } from '../spec/complete';
import type { DeviceRule, RuntimeDevice } from './oci';

/** /dev/snd/by-path is one level; nobody keeps devices deeper. */
const DEEPEST_FOLDER = 3;
const GROUP_ACCESS = 0o060;
/** Of these every container has its own; a privileged one does not get the host's. */
const OWN_OF_CONTAINERS = ['/dev/pts', '/dev/shm', '/dev/mqueue', '/dev/console', '/dev/ptmx', '/dev/fd'];

export interface ContainerDevices {
  nodes: RuntimeDevice[];
  rules: DeviceRule[];
  /** Groups of the host that may use them, so that a process that is not root may too. */
  groups: number[];
}

/**
 * What the spec's devices are on this host, at this moment: numbers change when something is plugged in again.
 *
 * @throws {DeviceMissingError} {NotADeviceError} {PolicyRefusedError}
 */
export async function containerDevices(spec: CompleteSpec, policy: Policy): Promise<ContainerDevices> {
  if (spec.privileged) return allDevices();
  const found: ContainerDevices = { nodes: [], rules: [], groups: [] };
  for (const { source, target, permissions } of spec.devices ?? []) {
    const nodes = await devicesAt(source, target, policy);
    for (const node of nodes) {
      if (found.nodes.some(({ path }) => path === node.path)) continue;
      const { type, major, minor } = node;
      found.nodes.push(node);
      found.rules.push({ allow: true, type, major, minor, access: permissions });
      // Root's group is not given: it opens more than devices.
      if (node.gid !== 0 && node.fileMode & GROUP_ACCESS) found.groups.push(node.gid);
    }
  }
  return found;
}

async function devicesAt(source: string, target: string, policy: Policy): Promise<RuntimeDevice[]> {
  const resolved = await realpath(source).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') throw new DeviceMissingError(source, { cause });
    throw cause;
  });
  const status = await stat(resolved);
  if (!status.isDirectory()) {
    policy.checkDevice(source, resolved);
    const device = toDevice(target, status);
    if (!device) throw new NotADeviceError(source, status.isFile() ? 'a file' : 'no device');
    return [device];
  }
  const devices = await devicesIn(resolved, target, DEEPEST_FOLDER, (path, real) => {
    policy.checkDevice(posix.join(source, path.slice(resolved.length)), real);
  });
  if (devices.length === 0) throw new NotADeviceError(source, 'a folder without any device');
  return devices;
}

/** All devices in a folder, links to devices included. */
async function devicesIn(
  folder: string,
  target: string,
  depth: number,
  check: (path: string, resolved: string) => void,
): Promise<RuntimeDevice[]> {
  const found: RuntimeDevice[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const [path, place] = [join(folder, name), posix.join(target, name)];
    const own = await lstat(path).catch(() => undefined);
    if (own?.isDirectory() && depth > 1) found.push(...(await devicesIn(path, place, depth - 1, check)));
    const resolved = await realpath(path).catch(() => undefined);
    const device = resolved && toDevice(place, await stat(resolved));
    if (!device) continue;
    check(path, resolved);
    found.push(device);
  }
  return found;
}

/** What a privileged container gets: every device of the host, as Docker has it. */
async function allDevices(): Promise<ContainerDevices> {
  const nodes = (await devicesIn('/dev', '/dev', DEEPEST_FOLDER, () => {})).filter(
    ({ path }) => !OWN_OF_CONTAINERS.some((own) => path === own || path.startsWith(`${own}/`)),
  );
  return { nodes, rules: [{ allow: true, access: 'rwm' }], groups: [] };
}

function toDevice(path: string, status: Stats): RuntimeDevice | undefined {
  const type = status.isCharacterDevice() ? 'c' : status.isBlockDevice() ? 'b' : undefined;
  if (!type) return undefined;
  const { major, minor } = deviceNumbers(status.rdev);
  return { path, type, major, minor, fileMode: status.mode & 0o777, uid: status.uid, gid: status.gid };
}

/** The encoding of glibc's gnu_dev_major(3) and gnu_dev_minor(3). */
function deviceNumbers(rdev: number): { major: number; minor: number } {
  const number = BigInt(rdev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
