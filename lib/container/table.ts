import { type Database, migrate } from '../base';
import type { ContainerState, ContainerStatus, PublishedPort } from './container';
import type { ProcessIdentity } from './runtime/process-identity';

const SCHEMA = [
  `CREATE TABLE containers (
     id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, image TEXT NOT NULL, imageDigest TEXT NOT NULL,
     specDigest TEXT NOT NULL, stopSignal TEXT NOT NULL, ports TEXT NOT NULL, wanted TEXT NOT NULL,
     state TEXT NOT NULL, pid INTEGER, startTicks INTEGER, bootId TEXT, exitCode INTEGER, reason TEXT,
     startedAt INTEGER, finishedAt INTEGER)`,
];

/** One container in the index. Times are milliseconds since 1970. */
export interface ContainerRow {
  id: string;
  name: string;
  image: string;
  imageDigest: string;
  specDigest: string;
  stopSignal: string;
  ports: PublishedPort[];
  /** What the user wants, whatever it does now. */
  wanted: 'running' | 'stopped';
  state: ContainerState;
  process: ProcessIdentity | null;
  exitCode: number | null;
  reason: string | null;
  startedAt: number | null;
  finishedAt: number | null;
}

type Stored = Omit<ContainerRow, 'ports' | 'process'> & { ports: string } & Record<
    keyof ProcessIdentity,
    never
  >;

/** The index of containers in the database. */
export class ContainerTable {
  readonly #database: Database;

  constructor(database: Database) {
    migrate(database, 'container', SCHEMA);
    this.#database = database;
  }

  all(): ContainerRow[] {
    return this.#database.prepare('SELECT * FROM containers ORDER BY name').all().map(fromStored);
  }

  byName(name: string): ContainerRow | undefined {
    const row = this.#database.prepare('SELECT * FROM containers WHERE name = ?').get(name);
    return row === undefined ? undefined : fromStored(row);
  }

  byId(id: string): ContainerRow | undefined {
    const row = this.#database.prepare('SELECT * FROM containers WHERE id = ?').get(id);
    return row === undefined ? undefined : fromStored(row);
  }

  /** Inserts or replaces by id. */
  put(row: ContainerRow): void {
    const { process, ports, ...columns } = row;
    const { pid = null, startTicks = null, bootId = null } = process ?? {};
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO containers VALUES (@id, @name, @image, @imageDigest, @specDigest, @stopSignal,
           @ports, @wanted, @state, @pid, @startTicks, @bootId, @exitCode, @reason, @startedAt, @finishedAt)`,
      )
      .run({ ...columns, ports: JSON.stringify(ports), pid, startTicks, bootId });
  }

  delete(id: string): void {
    this.#database.prepare('DELETE FROM containers WHERE id = ?').run(id);
  }

  /** Makes several changes at once: all or, in a crash, none. */
  transaction(work: () => void): void {
    this.#database.transaction(work)();
  }
}

/** What the outside sees of a row. */
export function toStatus(row: ContainerRow, host: string): ContainerStatus {
  const { name, image, imageDigest, state, exitCode, reason, ports, specDigest } = row;
  const pid = state === 'running' || state === 'created' ? (row.process?.pid ?? null) : null;
  const [startedAt, finishedAt] = [toText(row.startedAt), toText(row.finishedAt)];
  return {
    name,
    image,
    imageDigest,
    state,
    pid,
    exitCode,
    reason,
    ports,
    address: null,
    health: 'none',
    restarts: 0,
    rolledBack: null,
    host,
    startedAt,
    finishedAt,
    specDigest,
  };
}

function toText(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

function fromStored(value: unknown): ContainerRow {
  const { pid, startTicks, bootId, ports, ...rest } = value as Stored;
  return { ...rest, ports: JSON.parse(ports), process: pid === null ? null : { pid, startTicks, bootId } };
}
