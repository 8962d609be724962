import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PublishedPort } from '../container';
import { NetworkUnsupportedError } from '../errors';
import type { ContainerFolder } from '../paths';
import { type CniResult, callPlugin } from './cni';
import { ensureForwarding } from './forwarding';

const BRIDGE = 'garua0';
const SUBNET = '10.86.0.0/16';
/** The host's own address on the bridge: the plugin gives it the first of the subnet. */
export const BRIDGE_GATEWAY = '10.86.0.1';
/** Machine-wide, since all data directories share the bridge. Addresses end with the boot, as containers do. */
const LEASES = '/run/garua/leases';
const CNI_VERSION = '1.0.0';

/** What `disconnect` needs to know, kept on disk so that a crash leaves no address or port taken. */
interface Attachment {
  ports: Required<PublishedPort>[];
  /** Its address on the bridge, once it has one. */
  address?: string;
}

/**
 * Connects a created container, which has its own network namespace, to the private bridge and publishes its
 * ports. The bridge plugin makes the bridge when it is missing.
 *
 * @throws {NetworkUnsupportedError} {NetworkFailedError}
 */
export async function connect(
  id: string,
  folder: ContainerFolder,
  pid: number,
  hostname: string,
  ports: Required<PublishedPort>[],
): Promise<void> {
  const attachment: Attachment = { ports };
  await writeFile(attachmentFile(folder), JSON.stringify(attachment), { mode: 0o600 });
  const namespace = `/proc/${pid}/ns/net`;
  const [result] = await Promise.all([
    callPlugin({ command: 'ADD', id, namespace, config: bridgeConfig() }),
    ensureForwarding(BRIDGE, SUBNET),
  ]);
  const address = result.ips?.[0]?.address.replace(/\/.*/, '');
  if (address) {
    await writeFile(attachmentFile(folder), JSON.stringify({ ports, address } satisfies Attachment));
  }
  if (ports.length > 0) {
    await callPlugin({ command: 'ADD', id, namespace, config: portmapConfig(ports, result) });
  }
  if (address) await appendFile(join(folder.files, 'hosts'), `${address}\t${hostname}\n`);
}

/** The container's address on the bridge; undefined when it is not connected. */
export async function attachedAddress(folder: ContainerFolder): Promise<string | undefined> {
  const text = await readFile(attachmentFile(folder), 'utf8').catch(() => '');
  return text ? (JSON.parse(text) as Attachment).address : undefined;
}

/** Gives address and ports back. Harmless when the container was not connected. */
export async function disconnect(id: string, folder: ContainerFolder): Promise<void> {
  const text = await readFile(attachmentFile(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const { ports } = JSON.parse(text) as Attachment;
  // The namespace, and with it the interface, went with the container's last process.
  const call = { command: 'DEL', id, namespace: '' } as const;
  try {
    if (ports.length > 0) await callPlugin({ ...call, config: portmapConfig(ports) });
    await callPlugin({ ...call, config: bridgeConfig() });
  } catch (error) {
    // Without the plugins nothing can be given back; a container must be removable all the same.
    if (!(error instanceof NetworkUnsupportedError)) throw error;
  }
  await rm(attachmentFile(folder), { force: true });
}

function attachmentFile(folder: ContainerFolder): string {
  return join(folder.path, 'network.json');
}

function bridgeConfig() {
  return {
    cniVersion: CNI_VERSION,
    name: 'garua',
    type: 'bridge',
    bridge: BRIDGE,
    isDefaultGateway: true,
    hairpinMode: true,
    ipam: { type: 'host-local', dataDir: LEASES, ranges: [[{ subnet: SUBNET }]] },
  };
}

function portmapConfig(ports: Required<PublishedPort>[], prevResult?: CniResult) {
  const portMappings = ports.map(({ hostPort, containerPort, protocol, hostAddress }) => ({
    hostPort,
    containerPort,
    protocol,
    // The plugin takes an absent address as all of them.
    ...(hostAddress === '0.0.0.0' ? {} : { hostIP: hostAddress }),
  }));
  return {
    cniVersion: CNI_VERSION,
    name: 'garua',
    type: 'portmap',
    capabilities: { portMappings: true },
    snat: true,
    runtimeConfig: { portMappings },
    ...(prevResult ? { prevResult } : {}),
  };
}
