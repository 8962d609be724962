import type { Database } from '../../base';
import type { Replication } from '../store';

export type TaskKind = 'announce' | 'replicate';

/** Something that other hosts have to hear of; kept until it is done. */
export interface Task {
  kind: TaskKind;
  cid: string;
  /** Where to, of a replication. */
  site: string;
  attempts: number;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 5 * 60_000;

/** What is still to be told or sent to other sites; survives the process. */
export class Tasks {
  constructor(private readonly database: Database) {}

  /** Due at once; one that is there already stays as it is. */
  add(kind: TaskKind, cid: string, site = ''): void {
    this.database
      .prepare("INSERT OR IGNORE INTO tasks VALUES (?, ?, ?, 'pending', 0, 0)")
      .run(kind, cid, site);
  }

  due(kind: TaskKind, now: number, limit: number): Task[] {
    return this.database
      .prepare(
        `SELECT kind, cid, site, attempts FROM tasks
         WHERE kind = ? AND state = 'pending' AND nextAttempt <= ? ORDER BY nextAttempt LIMIT ?`,
      )
      .all(kind, now, limit) as Task[];
  }

  /** A copy stays on record, so that a policy can count it; an announcement is forgotten. */
  done({ kind, cid, site }: Task): void {
    const statement =
      kind === 'announce'
        ? 'DELETE FROM tasks WHERE kind = ? AND cid = ? AND site = ?'
        : "UPDATE tasks SET state = 'done' WHERE kind = ? AND cid = ? AND site = ?";
    this.database.prepare(statement).run(kind, cid, site);
  }

  /** Tried again later, less and less often. */
  failed({ kind, cid, site, attempts }: Task, now: number): void {
    const wait = Math.min(FIRST_WAIT_MS * 2 ** attempts, LONGEST_WAIT_MS);
    this.database
      .prepare(
        'UPDATE tasks SET attempts = attempts + 1, nextAttempt = ? WHERE kind = ? AND cid = ? AND site = ?',
      )
      .run(now + wait, kind, cid, site);
  }

  /** Makes what waits for a site due now: it has come back. */
  hurry(site: string): void {
    this.database.prepare("UPDATE tasks SET nextAttempt = 0 WHERE kind = 'replicate' AND site = ?").run(site);
  }

  sites(cid: string): { site: string; state: 'pending' | 'done' }[] {
    return this.database
      .prepare("SELECT site, state FROM tasks WHERE kind = 'replicate' AND cid = ?")
      .all(cid) as { site: string; state: 'pending' | 'done' }[];
  }

  setPolicy(cid: string, replication: Replication): void {
    this.database.prepare('INSERT OR REPLACE INTO policies VALUES (?, ?)').run(cid, replication);
  }

  policies(): { cid: string; replication: Replication }[] {
    return this.database.prepare('SELECT * FROM policies').all() as {
      cid: string;
      replication: Replication;
    }[];
  }

  /** The object is gone from here: it is no source any more. */
  forget(cid: string): void {
    this.database.prepare('DELETE FROM tasks WHERE cid = ?').run(cid);
    this.database.prepare('DELETE FROM policies WHERE cid = ?').run(cid);
  }
}
