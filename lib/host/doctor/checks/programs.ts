import type { Machine } from '../../machine';
import { type Check, fail, type Outcome, ok, warn } from '../check';

/** Those of Debian 12, with which all tests run; older ones may work, and nobody has tried. */
const TRIED = { runc: '1.1', conmon: '2.1', cni: '1.0', iptables: '1.8' };

/** -1, 0 or 1, comparing as many parts as the shorter has. */
export function compareVersions(left: string, right: string): number {
  const [one, other] = [left, right].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)));
  for (let index = 0; index < Math.min(one!.length, other!.length); index += 1) {
    if (one![index]! !== other![index]!) return Math.sign(one![index]! - other![index]!);
  }
  return 0;
}

async function versionOf(machine: Machine, path: string): Promise<string | undefined> {
  return /(\d+\.\d+(?:\.\d+)*)/.exec((await machine.run(path, '--version')) ?? '')?.[1];
}

function program(name: 'runc' | 'conmon', why: string): Check {
  return {
    id: name,
    area: 'programs',
    why,
    async look({ machine }): Promise<Outcome> {
      const found = await machine.which(name);
      if (!found) return fail('not installed', `sudo garua setup, or apt-get install ${name}`);
      if (!found.onPath) {
        return fail(
          `installed at ${found.path}, which is not on PATH`,
          'Run it as root, whose PATH has that folder.',
        );
      }
      const version = await versionOf(machine, found.path);
      if (version === undefined) {
        return fail(
          `${found.path} does not say its version`,
          `Install it anew: apt-get install --reinstall ${name}`,
        );
      }
      if (compareVersions(version, TRIED[name]) < 0) {
        return warn(
          `${found.path}, version ${version}, older than what was tried (${TRIED[name]})`,
          'Upgrade the system to Debian 12 or what is derived from it.',
        );
      }
      return ok(`${found.path}, version ${version}`);
    },
  };
}

export const runc = program('runc', 'It starts containers.');
export const conmon = program(
  'conmon',
  'It keeps a container’s output and exit status, also without Node-RED.',
);

const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin'];
const CNI_PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap'];

export const bridge: Check = {
  id: 'bridge',
  area: 'programs',
  why: 'Containers get a network of their own and published ports through them; --net host needs none.',
  async look({ machine }) {
    const missing: string[] = [];
    let folder = CNI_FOLDERS[0]!;
    for (const plugin of CNI_PLUGINS) {
      const found = await firstThere(
        machine,
        CNI_FOLDERS.map((candidate) => `${candidate}/${plugin}`),
      );
      if (found === undefined) missing.push(plugin);
      else folder = found.slice(0, -plugin.length - 1);
    }
    const iptables = await machine.which('iptables');
    if (!iptables?.onPath) missing.push('iptables');
    if (missing.length > 0 || !iptables) {
      return warn(
        `missing: ${missing.join(', ')}`,
        'sudo garua setup, or apt-get install containernetworking-plugins iptables',
      );
    }
    // Debian's plugins do not know their own version, but which protocols they speak.
    const spoken = (await machine.run(`${folder}/bridge`, '--version')) ?? '';
    const protocol = spoken.match(/\d+\.\d+\.\d+/g)?.at(-1);
    const filter = await versionOf(machine, iptables.path);
    const old = [
      protocol && compareVersions(protocol, TRIED.cni) < 0 ? `CNI plugins for ${protocol}` : '',
      filter && compareVersions(filter, TRIED.iptables) < 0 ? `iptables ${filter}` : '',
    ].filter(Boolean);
    if (old.length > 0) {
      return warn(
        `older than what was tried: ${old.join(', ')}`,
        'Upgrade the system to Debian 12 or what is derived from it.',
      );
    }
    return ok(
      `CNI ${protocol ?? 'of unknown version'} in ${folder}, iptables ${filter ?? 'of unknown version'}`,
    );
  },
};

async function firstThere(machine: Machine, paths: string[]): Promise<string | undefined> {
  for (const path of paths) if (await machine.exists(path)) return path;
  return undefined;
}
