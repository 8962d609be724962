import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Database, openDatabase } from './database';

/** What the log of SQLite begins with, in either byte order of its checksums; "WAL file format", sqlite.org. */
const LOG_MAGIC = 0x377f0682;

/**
 * A database up to this size, in bytes, is read as a whole each time: an SD card takes less than half a second for it. A
 * larger one, as with long queues of messages, only when the process before did not end by itself.
 */
const ALWAYS_CHECKED = 16 << 20;

/** A damaged file is put beside the new one under its name and this, with the time. */
export const SET_ASIDE = '.corrupt-';

/**
 * As `openDatabase`, also where SQLite cannot read the file, as after a power cut on a bad card: what is damaged is
 * set aside, not deleted, with a warning of the process, and an empty database takes its place.
 *
 * @returns `lost`: whether nothing, or not all, of what was there before is there now. So is a new file.
 */
export function openIntactDatabase(path: string): { database: Database; lost: boolean } {
  const logDamaged = !isLog(`${path}-wal`);
  if (logDamaged) setAside(`${path}-wal`);
  try {
    const database = openChecked(path);
    return { database, lost: logDamaged || isEmpty(database) };
  } catch (error) {
    if (!/^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string }).code ?? '')) throw error;
    setAside(path, `${path}-wal`, `${path}-shm`);
    return { database: openChecked(path), lost: true };
  }
}

/**
 * As `openDatabase`, but finds damage now rather than when what is damaged is used. See `ALWAYS_CHECKED`.
 *
 * @throws an error of SQLite with its code
 */
export function openChecked(path: string): Database {
  const check = endedEarly(path) || bytesOf(path) <= ALWAYS_CHECKED;
  const database = openDatabase(path);
  if (!check) return database;
  try {
    const answer = database.pragma('quick_check(1)', { simple: true });
    if (answer !== 'ok') throw Object.assign(new Error(String(answer)), { code: 'SQLITE_CORRUPT' });
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Whoever closes a database moves its log into it and removes the log. */
function endedEarly(path: string): boolean {
  return bytesOf(`${path}-wal`) > 0;
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function isEmpty(database: Database): boolean {
  return database.prepare('SELECT 1 FROM schema_version LIMIT 1').get() === undefined;
}

/** Whether a log can be one, or there is none: SQLite reads no other, and says nothing. */
function isLog(path: string): boolean {
  if (bytesOf(path) === 0) return true;
  const start = Buffer.alloc(4);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  return (start.readUInt32BE() & ~1) >>> 0 === LOG_MAGIC;
}

function setAside(...paths: string[]): void {
  const end = SET_ASIDE + new Date().toISOString().replaceAll(/[:.]/g, '-');
  const there = paths.filter((path) => statSync(path, { throwIfNoEntry: false }));
  for (const path of there) renameSync(path, path + end);
  process.emitWarning(`the index ${there[0]} is damaged, and was set aside as ${basename(there[0]!)}${end}`, {
    code: 'GARUA_INDEX_DAMAGED',
    detail: 'Images and containers are found again as far as their files tell; see garua doctor.',
  });
}
