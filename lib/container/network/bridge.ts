import { dirname } from 'node:path';
import type { PublishedPort } from '../container';
import { NetworkFailedError, NetworkUnsupportedError, PortTakenError } from '../errors';
import type { ContainerFolder } from '../paths';
import { isAlive, type ProcessIdentity } from '../runtime/process-identity';
import {
  type Attachment,
  allAttachments,
  type ContainerNames,
  hostNamespace,
  idOf,
  isOf,
  otherContainer,
  readAttachment,
  removeAttachment,
  writeAttachment,
} from './attachments';
import { type CniResult, callPlugin } from './cni';
import { ensureForwarding } from './forwarding';
import { updateNames } from './names';
import { collide } from './ports';
import { atRules, publishPorts, restorePorts, withdrawPorts } from './published';
import { BRIDGE, bridgeConfig, SUBNET } from './settings';

export { BRIDGE_GATEWAY } from './settings';

/** A container that is to be connected. */
export interface Connecting {
  id: string;
  folder: ContainerFolder;
  names: ContainerNames;
  ports: Required<PublishedPort>[];
  /** The process with which its connection ends: its first, or until there is one whose work it is to make it. */
  process: ProcessIdentity;
  /** Path of its network namespace. */
  namespace: string;
  /** The address to give, unless somebody has it. */
  wanted?: string | undefined;
}

/**
 * Connects a container's network namespace to the private bridge, publishes its ports,
 * and lets the containers of its data directory know each other's names. The bridge plugin makes the bridge when it
 * is missing. Can be repeated.
 *
 * @throws {NetworkUnsupportedError} {NetworkFailedError} {PortTakenError}
 */
export async function connect(connecting: Connecting): Promise<void> {
  const { id, folder, names, ports, process, namespace, wanted } = connecting;
  const since = Date.now();
  const attachment: Attachment = {
    ...{ id, folder: folder.path, names, ports, process, since },
    hostNamespace: hostNamespace(),
  };
  // What a crash left half connected is made anew.
  const before = await readAttachment(id);
  if (before)
    await detach(before, (await isAlive(before.process)) ? `/proc/${before.process.pid}/ns/net` : '');
  await writeAttachment(attachment);
  if (ports.length > 0) await checkOtherDirectories(attachment);
  const [result, wereMissing] = await Promise.all([
    join(id, namespace, wanted),
    ensureForwarding(BRIDGE, SUBNET),
  ]);
  const address = result.ips?.[0]?.address.replace(/\/.*/, '');
  if (!address) throw new NetworkFailedError('bridge', 'it gave no address');
  const connected: Attachment = { ...attachment, address };
  await writeAttachment(connected);
  if (ports.length > 0) await publishPorts(connected, namespace);
  // Rules that were there before have gone: a firewall was loaded anew, and took the published ports too.
  if (wereMissing) await restorePorts(dirname(folder.path));
  await updateNames(dirname(folder.path));
}

/**
 * Gives the address that is wanted; another one where somebody has that. Then the plugin is asked up to twice: at the
 * first time it cannot finish a bridge that it has made, and left without ports, when it refused the address.
 */
async function join(id: string, namespace: string, wanted: string | undefined): Promise<CniResult> {
  const call = { command: 'ADD', id, namespace } as const;
  if (wanted === undefined) return callPlugin({ ...call, config: bridgeConfig() });
  for (const config of [bridgeConfig(wanted), bridgeConfig()]) {
    try {
      return await callPlugin({ ...call, config });
    } catch (error) {
      if (!(error instanceof NetworkFailedError)) throw error;
      // It leaves what it had made before it failed.
      await callPlugin({ ...call, command: 'DEL', config: bridgeConfig() });
    }
  }
  return callPlugin({ ...call, config: bridgeConfig() });
}

/** From now on the connection ends with this process. */
export async function handOver(id: string, folder: ContainerFolder, process: ProcessIdentity): Promise<void> {
  const attachment = await readAttachment(id);
  if (!attachment) return;
  await writeAttachment({ ...attachment, process });
  await updateNames(dirname(folder.path));
}

/** Its published ports lead to the container no more; connections that are open go on. Can be repeated. */
export async function hidePorts(id: string): Promise<void> {
  const attachment = await readAttachment(id);
  if (!attachment || attachment.ports.length === 0) return;
  await atRules(async () => {
    await withdrawPorts(id, attachment.ports);
    await writeAttachment({ ...attachment, ports: [] });
  });
}

/** Takes a running container from the bridge: from then on nobody hears of it any more, not even its end. */
export async function unplug(id: string, folder: ContainerFolder, namespace: string): Promise<void> {
  const attachment = await readAttachment(id);
  if (!attachment) return;
  await detach(attachment, namespace);
  await updateNames(dirname(folder.path));
}

/** The container's address on the bridge; undefined when it is not connected. */
export async function attachedAddress(folder: ContainerFolder): Promise<string | undefined> {
  return (await readAttachment(idOf(folder)))?.address;
}

/** Gives address and ports back. Harmless when the container was not connected. */
export async function disconnect(id: string, folder: ContainerFolder): Promise<void> {
  const attachment = await readAttachment(id);
  if (!attachment) return;
  await detach(attachment);
  await updateNames(dirname(folder.path));
}

/**
 * Takes away what an attachment tells of, and then the attachment. Without a namespace the interface went with the
 * container's last process.
 */
export function detach({ id, ports }: Pick<Attachment, 'id' | 'ports'>, namespace = ''): Promise<void> {
  return atRules(async () => {
    try {
      if (ports.length > 0) await withdrawPorts(id, ports);
      await callPlugin({ command: 'DEL', id, namespace, config: bridgeConfig() });
    } catch (error) {
      // Without the plugins nothing can be given back; a container must be removable all the same.
      if (!(error instanceof NetworkUnsupportedError)) throw error;
    }
    await removeAttachment(id);
  });
}

/**
 * Containers of other data directories are in no index of this one, and hold their ports by rules, where no bind can
 * find them. Of two that come at the same time the one that was written down first has the port.
 */
async function checkOtherDirectories(attachment: Attachment): Promise<void> {
  const { id, folder, ports, since } = attachment;
  for (const other of await allAttachments()) {
    const isEarlier = other.since < since || (other.since === since && other.id < id);
    if (!isEarlier || isOf(other, dirname(folder)) || other.hostNamespace !== attachment.hostNamespace)
      continue;
    const port = ports.find((port) => other.ports.some((taken) => collide(taken, port)));
    if (port && (await isAlive(other.process))) {
      throw new PortTakenError(port.hostPort, port.protocol, otherContainer(other));
    }
  }
}
