import { chmodSync, closeSync, openSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import Sqlite from 'better-sqlite3';
import { Reserve } from './reserve';

export type Database = Sqlite.Database;

/**
 * Opens an index database in WAL mode. A commit survives the end of the process at once and a power cut
 * after the next checkpoint (synchronous=NORMAL): syncing an SD card at each commit would block the event
 * loop, and what the index says can be rebuilt from the files it describes. A full disk costs the reserve beside it.
 */
export function openDatabase(path: string): Database {
  const reserve = new Reserve(path);
  const database = reserve.spend(() => open(path));
  reserve.keep();
  return database;
}

function open(path: string): Database {
  // Readable by its owner alone, with the files that SQLite makes beside it: it may name secrets.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new Sqlite(path);
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    database.pragma('busy_timeout = 5000');
    database.exec(
      'CREATE TABLE IF NOT EXISTS schema_version (module TEXT PRIMARY KEY, version INTEGER NOT NULL)',
    );
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Resolves once all commits so far survive a power cut. They are in the log beside the database, until SQLite moves
 * them into it, for which it syncs both by itself. The event loop does not wait for the disk.
 */
export async function syncDatabase({ name }: Database): Promise<void> {
  const log = await openFile(`${name}-wal`, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  try {
    await log?.datasync();
  } finally {
    await log?.close();
  }
}

/**
 * Brings a module's tables up to date. `steps[n]` takes the schema from version n to n + 1; steps are only
 * ever appended.
 */
export function migrate(database: Database, module: string, steps: string[]): void {
  database.transaction(() => {
    const row = database.prepare('SELECT version FROM schema_version WHERE module = ?').get(module);
    const version = (row as { version: number } | undefined)?.version ?? 0;
    for (const step of steps.slice(version)) database.exec(step);
    database
      .prepare(
        'INSERT INTO schema_version VALUES (?, ?) ON CONFLICT (module) DO UPDATE SET version = excluded.version',
      )
      .run(module, Math.max(version, steps.length));
  })();
}
