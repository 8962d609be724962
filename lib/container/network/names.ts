import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { withFound } from '../../base';
import { KeyedLock } from '../keyed-lock';
import { isAlive } from '../runtime/process-identity';
import { type Attachment, allAttachments, isOf, readAttachment, writeAttachment } from './attachments';

const BEGIN = '# Containers of this host; Garua writes the lines up to the end mark.';
const END = '# End.';
/** Bytes. A container may write into its file as it likes: one that is longer is no list of hosts any more. */
const LONGEST_FILE = 1 << 20;

const lock = new KeyedLock();
const waiting = new Map<string, Promise<void>>();

/**
 * Writes into each connected container's /etc/hosts where it and the others of its data directory are. Calls that
 * wait for one under way are answered by the same next one.
 */
export function updateNames(containers: string): Promise<void> {
  const next = waiting.get(containers);
  if (next) return next;
  const update = lock.run(containers, async () => {
    waiting.delete(containers);
    const attachments = (await allAttachments()).filter((attachment) => isOf(attachment, containers));
    const alive = await Promise.all(attachments.map(({ process }) => isAlive(process)));
    const connected = attachments.filter(({ address }, index) => address && alive[index]);
    await Promise.all(connected.map((attachment) => writeNames(attachment, connected)));
  });
  waiting.set(containers, update);
  return update;
}

/** From now on the name belongs to the replacement of this container, which still runs. */
export async function yieldName(id: string, containers: string): Promise<void> {
  const attachment = await readAttachment(id);
  if (!attachment) return;
  // As if it had come last.
  await writeAttachment({ ...attachment, since: Number.MAX_SAFE_INTEGER });
  await updateNames(containers);
}

async function writeNames(to: Attachment, connected: Attachment[]): Promise<void> {
  const path = join(to.folder, 'files', 'hosts');
  const lines = hostLines(to, connected);
  try {
    await withFound(path, 'keep', async ({ status, handle }) => {
      if (!status.isFile() || status.size > LONGEST_FILE) return;
      // Written in place: the container's bind mount holds this very file.
      await using file = await open(handle, 'r+');
      const buffer = Buffer.alloc(status.size);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      const before = buffer.toString('utf8', 0, bytesRead);
      const content = withSection(before, lines);
      if (content === before) return;
      await file.write(content, 0);
      await file.truncate(Buffer.byteLength(content));
    });
  } catch (error) {
    // Removed in this moment.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/**
 * The container itself first. While a container and its replacement both run, the name stays with the older one.
 */
export function hostLines(to: Attachment, connected: Attachment[]): string[] {
  const others = new Map<string, Attachment>();
  for (const other of connected) {
    if (other.names.name !== to.names.name && !others.has(other.names.name))
      others.set(other.names.name, other);
  }
  return [to, ...others.values()].map(({ address, names }) => {
    const words = [names.hostname, names.name, names.service].filter((word) => word !== undefined);
    return `${address}\t${[...new Set(words)].join(' ')}`;
  });
}

/** Puts the lines between the marks, and leaves what the container's own programs have written. */
export function withSection(hosts: string, lines: string[]): string {
  const begin = hosts.indexOf(BEGIN);
  const end = begin < 0 ? -1 : hosts.indexOf(END, begin);
  const before = begin < 0 ? hosts : hosts.slice(0, begin);
  const after = end < 0 ? '' : hosts.slice(end + END.length + 1);
  return `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${BEGIN}\n${lines.join('\n')}\n${END}\n${after}`;
}
