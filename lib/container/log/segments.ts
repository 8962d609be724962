import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ContainerFolder } from '../paths';

/** No segment grows beyond this. */
export const SEGMENT_LIMIT = 10 * 2 ** 20;
/** The one that is written and two full ones: 20 to 30 MiB of a long log are kept. */
const SEGMENTS_KEPT = 3;
/** A new run of the container goes on in the last segment while that is no longer than this. */
const CONTINUE_BELOW = SEGMENT_LIMIT / 2;
const NAME = /^\d{8}$/;

/** A piece of a container's log; the highest number is the newest. */
export interface Segment {
  number: number;
  path: string;
  size: number;
  inode: number;
  /** Milliseconds since 1970 of its last line. */
  modifiedAt: number;
}

/*
 * conmon rotates by opening `container.log.tmp`, emptied, and renaming it over `container.log`, which would lose all
 * that was written before. Here both names are symbolic links to segments: the rename then replaces only a link, and
 * the full segment stays. `keepSegments` lays the next link. When nobody does, since no Garua runs, conmon makes plain
 * files in place of the links: of what was written then the last one stays, so that the disk's bound holds.
 */

/** All segments, oldest first. */
export function listSegments(folder: ContainerFolder): Segment[] {
  const segments = numbers(folder)
    .map((number) => toSegment(number, segmentPath(folder, number)))
    .filter((segment) => segment !== undefined);
  // What conmon wrote while nobody laid links.
  const plain = plainFile(folder);
  const next = (segments.at(-1)?.number ?? 0) + 1;
  const last = plain && describe(next, folder.log, plain);
  return last ? [...segments, last] : segments;
}

/**
 * Gets the log ready for a new run of the container, whose conmon is not there yet.
 *
 * @returns the bytes after which conmon is to rotate, so that also what earlier runs left counts
 */
export function beginSegments(folder: ContainerFolder): number {
  mkdirSync(segmentsFolder(folder), { recursive: true, mode: 0o700 });
  adopt(folder);
  const last = listSegments(folder).at(-1) ?? { number: 0, size: Number.POSITIVE_INFINITY };
  const goesOn = last.size <= CONTINUE_BELOW;
  link(folder.log, goesOn ? last.number : last.number + 1);
  keepSegments(folder);
  return goesOn ? SEGMENT_LIMIT - last.size : SEGMENT_LIMIT;
}

/** Where the next segment is to be; what is put there before a run goes on with it. Its folder is made. */
export function nextSegment(folder: ContainerFolder): string {
  mkdirSync(segmentsFolder(folder), { recursive: true, mode: 0o700 });
  return segmentPath(folder, (listSegments(folder).at(-1)?.number ?? 0) + 1);
}

/**
 * Lays the link for conmon's next rotation, and removes what is too old. conmon may rotate at any moment of this; it
 * ends with the container's log when its own file is gone, so that nothing is removed under its hands.
 */
export function keepSegments(folder: ContainerFolder): void {
  adopt(folder);
  const current = linkedNumber(folder.log);
  if (current === undefined) return;
  const next = `${folder.log}.tmp`;
  const laid = lstatSync(next, { throwIfNoEntry: false });
  if (!laid || (laid.isSymbolicLink() && linkedNumber(next) !== current + 1)) link(next, current + 1);
  for (const number of numbers(folder)) {
    if (number <= current - SEGMENTS_KEPT) rmSync(segmentPath(folder, number), { force: true });
  }
}

/** Makes a segment of a plain file that conmon has put in place of the link. */
function adopt(folder: ContainerFolder): void {
  if (!plainFile(folder)) return;
  const number = Math.max(0, ...numbers(folder)) + 1;
  renameSync(folder.log, segmentPath(folder, number));
  try {
    symlinkSync(target(number), folder.log);
  } catch (error) {
    // conmon rotated in this very moment: the next look adopts what it made.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function link(path: string, number: number): void {
  const temporary = `${path}.link`;
  rmSync(temporary, { force: true });
  symlinkSync(target(number), temporary);
  renameSync(temporary, path);
}

function target(number: number): string {
  return join('segments', name(number));
}

function plainFile(folder: ContainerFolder): Stats | undefined {
  const stats = lstatSync(folder.log, { throwIfNoEntry: false });
  return stats?.isFile() ? stats : undefined;
}

function numbers(folder: ContainerFolder): number[] {
  try {
    return readdirSync(segmentsFolder(folder))
      .filter((entry) => NAME.test(entry))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function linkedNumber(path: string): number | undefined {
  try {
    return Number(readlinkSync(path).slice(-8));
  } catch {
    return undefined;
  }
}

function toSegment(number: number, path: string): Segment | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && describe(number, path, stats);
}

function describe(number: number, path: string, stats: Stats): Segment {
  return { number, path, size: stats.size, inode: stats.ino, modifiedAt: stats.mtimeMs };
}

export function segmentsFolder(folder: ContainerFolder): string {
  return join(folder.logs, 'segments');
}

function segmentPath(folder: ContainerFolder, number: number): string {
  return join(segmentsFolder(folder), name(number));
}

function name(number: number): string {
  return String(number).padStart(8, '0');
}
