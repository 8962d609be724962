import { readFile, stat, statfs } from 'node:fs/promises';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentBootId, exists } from '../../base';
import type { ContainerFolder } from '../paths';
import { memoryLimitOf, outOfMemoryKills } from './cgroup';
import { findMonitor } from './conmon';
import { isAlive, type ProcessIdentity } from './process-identity';

/** How a container ended. */
export interface Exit {
  /** The command's status, 128 + n after signal n; null when nobody was there to see it. */
  exitCode: number | null;
  reason: string;
  /** Milliseconds since 1970, as near as it can be known. */
  finishedAt: number;
}

/** Bytes: with less than this left a disk counts as full. */
const NO_ROOM = 65_536;
/** conmon writes the status within milliseconds of the end. */
const MONITOR_GRACE_MS = 2_000;

/**
 * How a container ended, or undefined while it runs. Reads only files: no program is started. `onPurpose`: it was
 * told to end, so that a child that once ran out of memory is not the reason.
 */
export async function readExit(
  id: string,
  folder: ContainerFolder,
  process: ProcessIdentity,
  onPurpose = false,
): Promise<Exit | undefined> {
  const recorded = await readExitFile(id, folder, onPurpose);
  if (recorded) return recorded;
  if (await isAlive(process)) return undefined;
  if (process.bootId !== currentBootId()) return unseen('the host was restarted');
  // The process is gone, its status not yet written: wait for conmon, if there is one.
  const deadline = Date.now() + MONITOR_GRACE_MS;
  while (Date.now() < deadline && (await findMonitor(folder))) {
    await sleep(20);
    if (await exists(folder.exitFile)) break;
  }
  const written = await readExitFile(id, folder, onPurpose);
  if (written) return written;
  const memory = onPurpose ? undefined : await memoryReason(id, folder);
  return unseen(memory ?? (await whyUnseen(folder)));
}

async function readExitFile(
  id: string,
  folder: ContainerFolder,
  onPurpose: boolean,
): Promise<Exit | undefined> {
  const text = await readFile(folder.exitFile, 'utf8').catch(() => '');
  if (!/^\d+$/.test(text.trim())) return undefined;
  const exitCode = Number(text);
  const { mtimeMs } = await stat(folder.exitFile);
  const memory = exitCode === 0 || onPurpose ? undefined : await memoryReason(id, folder);
  const reason = memory ?? (exitCode > 128 ? signalReason(exitCode - 128) : 'exited');
  return { exitCode, reason, finishedAt: Math.round(mtimeMs) };
}

/** Also when the kernel killed only a child, and the main process ended for that with a status of its own. */
async function memoryReason(id: string, folder: ContainerFolder): Promise<string | undefined> {
  if ((await outOfMemoryKills(id)) === 0 && !(await exists(`${folder.notes}/oom`))) return undefined;
  const limit = await memoryLimitOf(id);
  return `out of memory (${limit === undefined ? 'no limit of its own: the host had none left' : `limit ${binary(limit)}`})`;
}

/** Memory is sold in powers of 1024. */
function binary(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(1, bytes)) / 10), units.length - 1);
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${units[power]}`;
}

function signalReason(number: number): string {
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name ? `killed by ${name}` : 'exited';
}

/** conmon writes the status to the disk that the container may just have filled. */
async function whyUnseen(folder: ContainerFolder): Promise<string> {
  const { bavail, bsize } = await statfs(folder.path).catch(() => ({ bavail: NO_ROOM, bsize: 1 }));
  if (bavail * bsize < NO_ROOM) return 'ended on a full disk, where its status could not be written';
  return 'ended while its monitor was gone';
}

function unseen(reason: string): Exit {
  return { exitCode: null, reason, finishedAt: Date.now() };
}
