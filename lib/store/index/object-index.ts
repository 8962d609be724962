import { rmSync } from 'node:fs';
import { type Database, migrate, openChecked } from '../../base';

const SCHEMA = [
  `CREATE TABLE objects (
     cid TEXT PRIMARY KEY, size INTEGER NOT NULL, lastUse INTEGER NOT NULL, writer TEXT NOT NULL);
   CREATE INDEX objects_by_use ON objects (lastUse);
   CREATE TABLE policies (cid TEXT PRIMARY KEY, replication TEXT NOT NULL);
   CREATE TABLE tasks (
     kind TEXT NOT NULL, cid TEXT NOT NULL, site TEXT NOT NULL, state TEXT NOT NULL,
     attempts INTEGER NOT NULL, nextAttempt INTEGER NOT NULL, PRIMARY KEY (kind, cid, site));
   CREATE INDEX tasks_by_time ON tasks (state, nextAttempt);`,
];

/** What is known of an object on the NAS. */
export interface ObjectRecord {
  cid: string;
  /** Bytes of the object's file. */
  size: number;
  /** Milliseconds since 1970, by the clock of the NAS. */
  lastUse: number;
  writer: string;
}

/**
 * Opens the store's own database. It is no more than a memory of what is on the NAS and of what is still to
 * be done, so one that is damaged is thrown away: `rebuilt` says that the NAS has to be read again. It is a
 * file of its own so that this costs the other modules nothing.
 */
export function openIndex(path: string): { database: Database; rebuilt: boolean } {
  try {
    const database = openMigrated(path);
    const rebuilt = database.prepare('SELECT 1 FROM objects LIMIT 1').get() === undefined;
    return { database, rebuilt };
  } catch (error) {
    const { code } = error as { code?: string };
    if (!/^SQLITE_(CORRUPT|NOTADB|IOERR|ERROR)/.test(code ?? '')) throw error;
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
    return { database: openMigrated(path), rebuilt: true };
  }
}

function openMigrated(path: string): Database {
  const database = openChecked(path);
  try {
    migrate(database, 'store', SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The objects of the site, as this host last saw them. */
export class ObjectIndex {
  constructor(private readonly database: Database) {}

  put({ cid, size, lastUse, writer }: ObjectRecord): void {
    this.database
      .prepare('INSERT OR REPLACE INTO objects (cid, size, lastUse, writer) VALUES (?, ?, ?, ?)')
      .run(cid, size, lastUse, writer);
  }

  get(cid: string): ObjectRecord | undefined {
    return this.database.prepare('SELECT * FROM objects WHERE cid = ?').get(cid) as ObjectRecord | undefined;
  }

  remove(cid: string): void {
    this.database.prepare('DELETE FROM objects WHERE cid = ?').run(cid);
  }

  /** Least recently used first. */
  all(writer?: string): ObjectRecord[] {
    const where = writer === undefined ? '' : 'WHERE writer = @writer';
    return this.database
      .prepare(`SELECT * FROM objects ${where} ORDER BY lastUse, cid`)
      .all({ writer }) as ObjectRecord[];
  }

  /** Number and bytes of the objects, of all writers or of one. */
  usage(writer?: string): { objects: number; bytes: number } {
    const where = writer === undefined ? '' : 'WHERE writer = @writer';
    return this.database
      .prepare(`SELECT count(*) AS objects, coalesce(sum(size), 0) AS bytes FROM objects ${where}`)
      .get({ writer }) as { objects: number; bytes: number };
  }
}
