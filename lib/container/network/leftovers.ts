import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../../base';
import { cgroupPath } from '../runtime/cgroup';
import { isAlive } from '../runtime/process-identity';
import { type Attachment, allAttachments, hostNamespace, isOf, readAttachment } from './attachments';
import { detach } from './bridge';
import { listRules } from './iptables';
import { updateNames } from './names';
import { namespacePath, removeNamespace } from './namespace';
import { publishedIds, restorePorts } from './published';
import { LEASES, NAMESPACES, NETWORK } from './settings';

const CGROUPS = '/sys/fs/cgroup';
/** A container that arrives has its namespace long before its first process: until its files are here. Milliseconds. */
const MAKING_MS = 24 * 60 * 60_000;
const ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;

/**
 * Gives back what crashes have left on the bridge: addresses and port rules of this data directory's containers that
 * have ended, and of those whose data directory is gone. What belongs to another data directory that is there is its
 * own affair; what other programs made is not looked at. Ports of its running containers whose rules are gone
 * come back.
 */
export async function cleanNetwork(containers: string): Promise<void> {
  await removeOldNamespaces();
  if (!(await exists(LEASES))) return;
  const here = hostNamespace();
  for (const attachment of await allAttachments()) {
    if (attachment.hostNamespace === here && (await isLeft(attachment, containers))) await detach(attachment);
  }
  for (const id of await idsWithoutAttachment()) {
    // The plugin removes all ports of an id, whichever it is told.
    const ports = [{ hostPort: 1, containerPort: 1, protocol: 'tcp', hostAddress: '0.0.0.0' } as const];
    if (!(await hasProcesses(id))) await detach({ id, ports: [...ports] });
  }
  await restorePorts(containers);
  await updateNames(containers);
}

async function isLeft(attachment: Attachment, containers: string): Promise<boolean> {
  if (await isAlive(attachment.process)) return false;
  return isOf(attachment, containers) || !(await exists(attachment.folder));
}

/** Namespaces without a process: of containers whose data directory went away with them. */
async function removeOldNamespaces(): Promise<void> {
  for (const id of await readdir(NAMESPACES).catch(() => [])) {
    const made = (await stat(namespacePath(id)).catch(() => undefined))?.mtimeMs ?? 0;
    if (Date.now() - made > MAKING_MS && !(await hasProcesses(id))) await removeNamespace(id);
  }
}

/** Containers that hold something of Garua's bridge though nobody says why. */
async function idsWithoutAttachment(): Promise<Set<string>> {
  // First what is held: an attachment is written before, and removed after.
  const held = new Set([...(await leasedIds()), ...publishedIds(await listRules('nat'))]);
  for (const id of held) if (await readAttachment(id)) held.delete(id);
  return held;
}

/** The host-local plugin keeps a file for each address, whose first line is the container's id. */
async function leasedIds(): Promise<string[]> {
  const folder = join(LEASES, NETWORK);
  const files = (await readdir(folder).catch(() => [])).filter((file) => ADDRESS.test(file));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8').catch(() => '')));
  return texts.map((text) => text.split(/\s/)[0]!).filter((id) => id !== '');
}

/** Whether a container of this id runs, in whatever data directory; when in doubt, yes. */
async function hasProcesses(id: string): Promise<boolean> {
  const hierarchies = await readdir(CGROUPS).catch(() => []);
  if (hierarchies.length === 0) return true;
  for (const hierarchy of ['', ...hierarchies]) {
    const file = join(CGROUPS, hierarchy, cgroupPath(id), 'cgroup.procs');
    if ((await readFile(file, 'utf8').catch(() => '')).trim() !== '') return true;
  }
  return false;
}
