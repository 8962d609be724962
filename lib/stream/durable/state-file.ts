import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Database, migrate, openDatabase } from '../../base';
import type { Change, KeyRecord, OpenOutcome } from './messages';
import { PIECES_SCHEMA, PieceTable } from './piece-table';

const SCHEMA = [
  `CREATE TABLE window_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE window_keys (key TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;`,
  `DELETE FROM window_keys; DELETE FROM window_meta; ${PIECES_SCHEMA}`,
];

/** The SQLite file of one engine's state. Synchronous: it lives in a worker. */
export class StateFile {
  readonly #database: Database;
  readonly #pieces: PieceTable;
  readonly outcome: OpenOutcome;

  private constructor(database: Database, outcome: OpenOutcome) {
    this.#database = database;
    this.#pieces = new PieceTable(database);
    this.outcome = outcome;
  }

  /** Opens the file, or starts a new one where it is missing, damaged, or of other settings. */
  static open(path: string, settings: string): StateFile {
    mkdirSync(dirname(path), { recursive: true });
    try {
      return StateFile.#open(path, settings);
    } catch (error) {
      const { code = '' } = error as { code?: string };
      if (!/^SQLITE_(CORRUPT|NOTADB)/.test(code)) throw error;
    }
    removeStateFile(`${path}.damaged`);
    renameSync(path, `${path}.damaged`);
    removeStateFile(path);
    const { database } = prepare(path, settings);
    return new StateFile(database, 'damaged');
  }

  static #open(path: string, settings: string): StateFile {
    const { database, saved } = prepare(path, settings);
    if (saved.settings === undefined || saved.meta === undefined) return new StateFile(database, 'new');
    if (saved.settings !== settings) return new StateFile(database, saved.keys ? 'changed' : 'new');
    return new StateFile(database, saved.clean === '1' ? 'restored' : 'recovered');
  }

  get meta(): string | undefined {
    return read(this.#database, 'meta');
  }

  *records(): Generator<KeyRecord> {
    const rows = this.#database.prepare('SELECT key, record FROM window_keys').iterate();
    for (const row of rows) {
      const { key, record } = row as { key: string; record: string };
      yield { key, record, pieces: this.#pieces.of(key) };
    }
  }

  /** All or nothing. */
  commit(changes: Change[], meta: string): void {
    const put = this.#database.prepare('INSERT OR REPLACE INTO window_keys VALUES (?, ?)');
    const remove = this.#database.prepare('DELETE FROM window_keys WHERE key = ?');
    this.#database.transaction(() => {
      for (const change of changes) {
        if (change.kind === 'piece') {
          this.#pieces.append(change.key, change.list, change.piece);
          continue;
        }
        const { key, record, lists, whole } = change;
        if (record === null) remove.run(key);
        else put.run(key, record);
        if (record === null || whole) this.#pieces.forget(key);
        else this.#pieces.trim(key, lists);
      }
      write(this.#database, 'meta', meta);
    })();
  }

  close(): void {
    write(this.#database, 'clean', '1');
    this.#database.close();
  }
}

export function removeStateFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

interface Saved {
  settings: string | undefined;
  meta: string | undefined;
  clean: string | undefined;
  /** Whether it held any key. */
  keys: boolean;
}

function prepare(path: string, settings: string): { database: Database; saved: Saved } {
  const database = openDatabase(path);
  try {
    migrate(database, 'window-state', SCHEMA);
    const [before, meta, clean] = ['settings', 'meta', 'clean'].map((name) => read(database, name));
    const keys = database.prepare('SELECT 1 FROM window_keys LIMIT 1').get() !== undefined;
    database.transaction(() => {
      if (before !== settings) {
        database.exec('DELETE FROM window_keys; DELETE FROM window_pieces; DELETE FROM window_meta');
      }
      write(database, 'settings', settings);
      write(database, 'clean', '0');
    })();
    return { database, saved: { settings: before, meta, clean, keys } };
  } catch (error) {
    database.close();
    throw error;
  }
}

function read(database: Database, name: string): string | undefined {
  const row = database.prepare('SELECT value FROM window_meta WHERE name = ?').get(name);
  return (row as { value: string } | undefined)?.value;
}

function write(database: Database, name: string, value: string): void {
  database.prepare('INSERT OR REPLACE INTO window_meta VALUES (?, ?)').run(name, value);
}
