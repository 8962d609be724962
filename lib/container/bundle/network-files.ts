import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BRIDGE_GATEWAY } from '../network/bridge';
import type { CompleteSpec } from '../spec/complete';
import type { GeneratedFiles } from './mounts';

const LOCALHOST = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/** The name that the container sees as its own. */
export function containerHostname(spec: CompleteSpec): string {
  if (spec.hostname) return spec.hostname;
  if (spec.network === 'host') return hostname();
  return spec.name.replace(/[^A-Za-z0-9-]/g, '-').replace(/-+$/, '');
}

/**
 * Writes /etc/hosts, /etc/resolv.conf and /etc/hostname for a container into `folder`. They are made anew
 * at each start, since the host's name servers change when it moves.
 */
export async function writeNetworkFiles(folder: string, spec: CompleteSpec): Promise<GeneratedFiles> {
  const name = containerHostname(spec);
  const shares = spec.network === 'host';
  const hosts =
    (shares ? (await readOrEmpty('/etc/hosts')).replace(/\n?$/, '\n') : LOCALHOST) + extraHosts(spec);
  const resolver = await readOrEmpty('/etc/resolv.conf');
  const contents: Record<string, string> = {
    // On the bridge its name goes with the address that it is about to get.
    hosts:
      spec.network === 'bridge' || hasName(hosts, name)
        ? hosts
        : `${hosts.replace(/\n?$/, '\n')}127.0.1.1\t${name}\n`,
    'resolv.conf': shares ? resolver : await reachableResolvers(resolver),
    hostname: `${name}\n`,
  };
  const written = Object.entries(contents).map(async ([file, content]) => {
    const path = join(folder, file);
    // Whatever an earlier run has made of it goes. Readable for every user inside.
    await rm(path, { recursive: true, force: true });
    await writeFile(path, content, { mode: 0o644, flag: 'wx' });
    return [`/etc/${file}`, path] as const;
  });
  return Object.fromEntries(await Promise.all(written));
}

/** `host-gateway` is where a container reaches the host: itself on the host's network. */
function extraHosts({ extraHosts = {}, network }: CompleteSpec): string {
  const gateway = network === 'host' ? '127.0.0.1' : BRIDGE_GATEWAY;
  return Object.entries(extraHosts)
    .map(([name, address]) => `${address === 'host-gateway' ? gateway : address}\t${name}\n`)
    .join('');
}

/** systemd-resolved keeps the network's real resolvers in a file of their own. */
async function reachableResolvers(text: string): Promise<string> {
  const reachable = withoutLoopbackResolvers(text);
  if (/^\s*nameserver/m.test(reachable)) return reachable;
  return withoutLoopbackResolvers((await readOrEmpty('/run/systemd/resolve/resolv.conf')) || text);
}

/** A resolver at 127.0.0.53 is the host's; in its own network namespace a container cannot reach it. */
export function withoutLoopbackResolvers(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*nameserver\s+(127\.|::1\b)/.test(line))
    .join('\n');
}

function hasName(hosts: string, name: string): boolean {
  return hosts.split('\n').some((line) => line.replace(/#.*/, '').split(/\s+/).slice(1).includes(name));
}

async function readOrEmpty(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
