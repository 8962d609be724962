import { mkdir, readFile, rm, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ContainerFolder } from '../paths';

/** A tmpfs on every Linux that has one. */
const MEMORY = '/dev/shm';
const TMPFS_MAGIC = 0x01021994;
const PAGE_BYTES = 4096;
/** A dump must not take more of the memory that is left than this part: the container needs it too. */
const LARGEST_PART = 0.4;

/**
 * Makes an empty folder for the images of a checkpoint, in memory where so many bytes have room: a dump to a disk
 * costs the container that time.
 */
export async function makeImagesFolder(folder: ContainerFolder, bytes: number): Promise<string> {
  await removeImagesFolder(folder);
  const path = (await hasRoom(bytes)) ? inMemory(folder) : onDisk(folder);
  // In a folder that all may write to, one that is there already may be somebody else's.
  await mkdir(path, { recursive: path === onDisk(folder), mode: 0o700 });
  return path;
}

/** Harmless when there is none. */
export async function removeImagesFolder(folder: ContainerFolder): Promise<void> {
  for (const path of [inMemory(folder), onDisk(folder)]) await rm(path, { recursive: true, force: true });
}

/** Bytes of memory that processes hold; what they share counts for each. */
export async function residentBytes(pids: number[]): Promise<number> {
  const resident = pids.map(async (pid) => {
    // proc(5): the second field is the resident set size in pages.
    const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '');
    return Number(text.split(' ')[1] ?? 0) * PAGE_BYTES;
  });
  return (await Promise.all(resident)).reduce((sum, bytes) => sum + bytes, 0);
}

async function hasRoom(bytes: number): Promise<boolean> {
  const place = await statfs(MEMORY).catch(() => undefined);
  if (place?.type !== TMPFS_MAGIC) return false;
  const text = await readFile('/proc/meminfo', 'utf8');
  const available = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  return bytes <= LARGEST_PART * Math.min(place.bavail * place.bsize, available);
}

function inMemory({ path }: ContainerFolder): string {
  return join(MEMORY, `garua-${basename(path)}`);
}

function onDisk({ path }: ContainerFolder): string {
  return join(path, 'images');
}
