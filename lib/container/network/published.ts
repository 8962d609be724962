import type { PublishedPort } from '../container';
import { KeyedLock } from '../keyed-lock';
import { isAlive } from '../runtime/process-identity';
import { type Attachment, allAttachments, hostNamespace, isOf } from './attachments';
import { callPlugin } from './cni';
import { listRules } from './iptables';
import { NETWORK, portmapConfig, SUBNET } from './settings';

const lock = new KeyedLock();

/** Those who make or take away a container's rules take turns: the plugin does not expect another at its chains. */
export function atRules<T>(work: () => Promise<T>): Promise<T> {
  return lock.run('rules', work);
}

/** Makes the rules that lead to a connected container's ports. */
export function publishPorts(attachment: Attachment, namespace: string): Promise<void> {
  return atRules(() => publish(attachment, namespace));
}

async function publish({ id, ports, address }: Attachment, namespace: string): Promise<void> {
  const ips = [{ address: `${address}/${SUBNET.split('/')[1]}` }];
  const config = portmapConfig(ports, { cniVersion: '1.0.0', ips });
  await callPlugin({ command: 'ADD', id, namespace, config });
}

export async function withdrawPorts(id: string, ports: Required<PublishedPort>[]): Promise<void> {
  await callPlugin({ command: 'DEL', id, namespace: '', config: portmapConfig(ports) });
}

/**
 * Makes the rules again of a data directory's containers that run and have lost them. Not of others': their own engine
 * may be at work with them.
 */
export function restorePorts(containers: string): Promise<void> {
  return atRules(async () => {
    const here = hostNamespace();
    const attachments = (await allAttachments()).filter(
      (one) => isOf(one, containers) && one.ports.length > 0 && one.address && one.hostNamespace === here,
    );
    if (attachments.length === 0) return;
    const published = new Set(publishedIds(await listRules('nat')));
    for (const attachment of attachments) {
      if (!published.has(attachment.id) && (await isAlive(attachment.process))) {
        await publish(attachment, `/proc/${attachment.process.pid}/ns/net`);
      }
    }
  });
}

/** Ids of the containers that rules lead to, by the comments of the portmap plugin. */
export function publishedIds(rules: string[]): string[] {
  const comment = new RegExp(`^-A CNI-HOSTPORT-DNAT .*name: \\\\"${NETWORK}\\\\" id: \\\\"([0-9a-f]+)\\\\"`);
  return rules.map((rule) => comment.exec(rule)?.[1]).filter((id) => id !== undefined);
}
