import { currentBootId, type Database, migrate, Reserve } from '../base';
import type { ContainerState, ContainerStatus, PublishedPort, RestartPolicy } from './container';
import type { MovePurpose } from './move/move';
import type { ProcessIdentity } from './runtime/process-identity';
import type { CompleteSpec } from './spec/complete';
import type { CompleteProbe } from './spec/lifecycle';

const SCHEMA = [
  `CREATE TABLE containers (
     id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, image TEXT NOT NULL, imageDigest TEXT NOT NULL,
     specDigest TEXT NOT NULL, stopSignal TEXT NOT NULL, ports TEXT NOT NULL, wanted TEXT NOT NULL,
     state TEXT NOT NULL, pid INTEGER, startTicks INTEGER, bootId TEXT, exitCode INTEGER, reason TEXT,
     startedAt INTEGER, finishedAt INTEGER)`,
  `ALTER TABLE containers ADD COLUMN care TEXT NOT NULL DEFAULT '{}';
   ALTER TABLE containers ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE containers ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE containers ADD COLUMN restartAt INTEGER;
   ALTER TABLE containers ADD COLUMN address TEXT;
   ALTER TABLE containers ADD COLUMN rolledBack TEXT;
   ALTER TABLE containers ADD COLUMN writtenIn TEXT`,
  'ALTER TABLE containers ADD COLUMN moving TEXT',
];

/** What the care for a container needs to know of its spec, without reading the file that holds it. */
export interface Care {
  network?: CompleteSpec['network'];
  restart?: RestartPolicy;
  liveness?: CompleteProbe;
  readiness?: CompleteProbe;
  service?: NonNullable<ContainerStatus['service']>;
}

/** A container that is leaving or arriving; nobody but its departure or arrival touches it. */
export interface Moving {
  role: 'leaving' | 'arriving';
  purpose: MovePurpose;
  /** `elsewhere`: what becomes of it is for those who move it to say, also after this process was killed. */
  decided: 'here' | 'elsewhere';
  /** Leaving: it was ended for the move, and runs again if that is given up. */
  stopped?: boolean;
  /** It is another host's: what is left of it here is being removed. */
  doomed?: boolean;
  /** Arriving, or doomed: the volumes that go with it. */
  volumes?: string[];
  /** Arriving: the address that it had. */
  addressBefore?: string | undefined;
}

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
  care: Care;
  /** How often its policy started it since its deploy. */
  restarts: number;
  /** Restarts in a row, none of which ran for long; what the pauses and `maximumRetries` go by. */
  attempts: number;
  /** While `restarting`: when the pause is over. */
  restartAt: number | null;
  /** On the bridge. */
  address: string | null;
  rolledBack: ContainerStatus['rolledBack'];
  moving: Moving | null;
  /** The boot in which the row was last written; set by `put`. */
  writtenIn: string | null;
}

/** These columns hold JSON. */
const DOCUMENTS = ['ports', 'care', 'rolledBack', 'moving'] as const;

type Stored = Omit<ContainerRow, 'process'> &
  Record<(typeof DOCUMENTS)[number], string | null> & {
    [Field in keyof ProcessIdentity]: ProcessIdentity[Field] | null;
  };

const COLUMNS = [
  ...['id', 'name', 'image', 'imageDigest', 'specDigest', 'stopSignal', 'ports', 'wanted', 'state'],
  ...['pid', 'startTicks', 'bootId', 'exitCode', 'reason', 'startedAt', 'finishedAt'],
  ...['care', 'restarts', 'attempts', 'restartAt', 'address', 'rolledBack', 'writtenIn', 'moving'],
];
const PUT = `INSERT OR REPLACE INTO containers (${COLUMNS.join(', ')})
  VALUES (${COLUMNS.map((column) => `@${column}`).join(', ')})`;

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

  /** The first process of each container that runs. */
  running(): { id: string; pid: number }[] {
    const rows = this.#database.prepare(
      "SELECT id, pid FROM containers WHERE state = 'running' AND pid IS NOT NULL",
    );
    return rows.all() as { id: string; pid: number }[];
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
    const { process, ...columns } = row;
    const { pid = null, startTicks = null, bootId = null } = process ?? {};
    const documents = DOCUMENTS.map((column) => [
      column,
      row[column] === null ? null : JSON.stringify(row[column]),
    ]);
    this.#database.prepare(PUT).run({
      ...columns,
      ...Object.fromEntries(documents),
      ...{ pid, startTicks, bootId, writtenIn: currentBootId() },
    });
  }

  delete(id: string): void {
    this.#database.prepare('DELETE FROM containers WHERE id = ?').run(id);
  }

  /** Makes several changes at once: all or, in a crash, none. */
  transaction(work: () => void): void {
    this.#database.transaction(work)();
  }

  /** As `transaction`, also on a full disk: for changes after which there is more room. */
  urgently(work: () => void): void {
    new Reserve(this.#database.name).spend(() => this.transaction(work));
  }
}

/** What the probes of a container have found, with the last answer that was no success. */
export interface Health {
  state: ContainerStatus['health'];
  detail: string | null;
}

/** What the outside sees of a row. */
export function toStatus(row: ContainerRow, host: string, health: Health): ContainerStatus {
  const { name, image, imageDigest, state, exitCode, ports, restarts, rolledBack, specDigest } = row;
  const lives = state === 'running' || state === 'created';
  return {
    name,
    image,
    imageDigest,
    state,
    pid: lives ? (row.process?.pid ?? null) : null,
    exitCode,
    reason: row.reason ?? health.detail,
    ports,
    service: row.care.service ?? null,
    address: lives ? row.address : null,
    health: health.state,
    restarts,
    rolledBack,
    host,
    startedAt: toText(row.startedAt),
    finishedAt: toText(row.finishedAt),
    specDigest,
  };
}

function toText(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

function fromStored(value: unknown): ContainerRow {
  const { pid, startTicks, bootId, ...rest } = value as Stored;
  const documents = DOCUMENTS.map((column) => [column, JSON.parse(rest[column] ?? 'null')]);
  const process = pid === null ? null : { pid, startTicks, bootId };
  return { ...rest, ...Object.fromEntries(documents), process } as ContainerRow;
}
