import { type Database, migrate } from '../../../base';
import type { PlacedFlow } from '../flow';

const SCHEMA = [
  `CREATE TABLE operator_flow (id TEXT PRIMARY KEY, flow TEXT NOT NULL);
   CREATE TABLE operator_record (
     flow TEXT NOT NULL, operator TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (flow, operator))`,
];

/** An instance of an operator, and where it is. */
export interface OwnedInstance {
  /** Its place among the instances of the operator; the next one in its place has the same. */
  slot: number;
  /** Unique among all that the operator ever had. */
  number: number;
  peerId: string;
  host: string;
  site: string;
  /** Of what it was started with. */
  digest: string;
}

/**
 * A move under way, and the step that was about to be done. `start`: nothing has changed yet. `hand-over`: the source
 * stops, and the target has certainly not taken over. `take-over`: it may have. `take-back`: it never will, and the
 * source goes on. `release`: the target goes on.
 */
export interface MoveRecord {
  step: 'start' | 'hand-over' | 'take-over' | 'take-back' | 'release';
  from: OwnedInstance;
  to: OwnedInstance;
  /** Whether `to` takes the place of `from`, else some partitions alone. */
  replaces: boolean;
  partitions: number[];
  epoch: number;
  reason: string;
}

/** What the owner knows of one operator; written down before anything is asked of a host. */
export interface OperatorRecord {
  operator: string;
  name: string;
  /** The number of the next instance. */
  next: number;
  /** The highest that was given away. */
  epoch: number;
  instances: OwnedInstance[];
  /** For each partition the number of the instance that has it; one entry where it is not keyed. */
  owners: (number | null)[];
  move: MoveRecord | null;
  /** How many instances there are to be. */
  wanted: number;
  /** Whether somebody asked for this number. */
  isScaledByHand: boolean;
  /** The site that somebody moved it to. */
  pin: string | null;
  reason: string;
}

/** The flows that this host owns, as it must know them after a crash. */
export class OwnerTable {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, 'operator-owner', SCHEMA);
    this.#database = database;
  }

  flows(): PlacedFlow[] {
    const texts = this.#database.prepare('SELECT flow FROM operator_flow ORDER BY id').pluck().all();
    return (texts as string[]).map((text) => JSON.parse(text) as PlacedFlow);
  }

  putFlow(flow: PlacedFlow): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO operator_flow VALUES (?, ?)')
      .run(flow.id, JSON.stringify(flow));
  }

  removeFlow(id: string): void {
    this.#database.prepare('DELETE FROM operator_flow WHERE id = ?').run(id);
  }

  records(flow: string): OperatorRecord[] {
    const texts = this.#database
      .prepare('SELECT record FROM operator_record WHERE flow = ? ORDER BY operator')
      .pluck()
      .all(flow);
    return (texts as string[]).map((text) => JSON.parse(text) as OperatorRecord);
  }

  put(flow: string, record: OperatorRecord): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO operator_record VALUES (?, ?, ?)')
      .run(flow, record.operator, JSON.stringify(record));
  }

  remove(flow: string, operator: string): void {
    this.#database.prepare('DELETE FROM operator_record WHERE flow = ? AND operator = ?').run(flow, operator);
  }
}
