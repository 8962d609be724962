import { createHash } from 'node:crypto';
import { type Database, migrate } from '../../base';
import type { Entry } from './standing';
import type { Body, Revocation, Signed } from './statements';

const SCHEMA = [
  `CREATE TABLE mesh_statement (
     fog TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL, signed TEXT NOT NULL,
     PRIMARY KEY (fog, kind, key))`,
];

/** What a host has, told in one line per statement: its name -> its rank. */
export type Inventory = Record<string, number>;

/** The statements of one fog: in memory, and in the database for the next start. */
export class StatementTable {
  readonly #database: Database;
  readonly #fog: string;
  readonly #entries = new Map<string, Entry>();
  /** Derived from the entries, until they change. */
  #digest: string | undefined;
  #revocations: Map<string, Entry<Revocation>[]> | undefined;
  #texts: Map<string, Signed> | undefined;

  constructor(database: Database, fog: string) {
    migrate(database, 'mesh-ledger', SCHEMA);
    this.#database = database;
    this.#fog = fog;
    const rows = database.prepare('SELECT signed FROM mesh_statement WHERE fog = ?').all(fog);
    for (const row of rows as { signed: string }[]) {
      const signed = JSON.parse(row.signed) as Signed;
      const entry = { body: JSON.parse(signed.text) as Body, signed };
      this.#entries.set(nameOf(entry), entry);
    }
  }

  get(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** What was said against the peer, by whomever. */
  revocationsOf(peerId: string): Entry<Revocation>[] {
    this.#revocations ??= Map.groupBy(
      this.all().filter((entry): entry is Entry<Revocation> => entry.body.kind === 'revocation'),
      ({ body }) => body.key,
    );
    return this.#revocations.get(peerId) ?? [];
  }

  /** Those that are not here to the letter. */
  unknown(statements: Signed[]): Signed[] {
    this.#texts ??= new Map(this.all().map(({ signed }) => [signed.text, signed]));
    const texts = this.#texts;
    return statements.filter((signed) => {
      const same = texts.get(signed?.text);
      return !same || PARTS.some((part) => same[part] !== signed[part]);
    });
  }

  /** Whether it replaces what is here under its name. */
  isNews(entry: Entry): boolean {
    return rankOf(entry) > this.#rankOf(nameOf(entry));
  }

  put(entry: Entry): void {
    const { body, signed } = entry;
    this.#database
      .prepare('INSERT OR REPLACE INTO mesh_statement VALUES (?, ?, ?, ?, ?)')
      .run(this.#fog, body.kind, keyOf(entry), body.sequence, JSON.stringify(signed));
    this.#entries.set(nameOf(entry), entry);
    this.#changed();
  }

  remove(entry: Entry): void {
    this.#database
      .prepare('DELETE FROM mesh_statement WHERE fog = ? AND kind = ? AND key = ?')
      .run(this.#fog, entry.body.kind, keyOf(entry));
    this.#entries.delete(nameOf(entry));
    this.#changed();
  }

  inventory(): Inventory {
    return Object.fromEntries([...this.#entries].map(([name, entry]) => [name, rankOf(entry)]));
  }

  /** Equal on two hosts exactly when they know the same. */
  digest(): string {
    this.#digest ??= createHash('sha256')
      .update(
        Object.entries(this.inventory())
          .map(([name, rank]) => `${name} ${rank}`)
          .sort()
          .join('\n'),
      )
      .digest('base64url');
    return this.#digest;
  }

  /** What the other lacks, and the names of what it has newer. */
  compare(other: Inventory): { lacking: Signed[]; wanted: string[] } {
    const lacking = [...this.#entries]
      .filter(([name, entry]) => (other[name] ?? 0) < rankOf(entry))
      .map(([, { signed }]) => signed);
    const wanted = Object.entries(other)
      .filter(([name, rank]) => this.#rankOf(name) < rank)
      .map(([name]) => name);
    return { lacking, wanted };
  }

  #rankOf(name: string): number {
    const entry = this.#entries.get(name);
    return entry ? rankOf(entry) : 0;
  }

  #changed(): void {
    this.#digest = undefined;
    this.#revocations = undefined;
    this.#texts = undefined;
  }
}

const PARTS = ['signer', 'signature', 'counter', 'counterSignature'] as const;

/** One statement of each kind about each key; of revocations, one by each host that made any. */
export function nameOf(entry: Entry): string {
  return `${entry.body.kind} ${keyOf(entry)}`;
}

function keyOf({ body, signed }: Entry): string {
  return body.kind === 'revocation' ? `${body.key} ${signed.signer}` : body.key;
}

/**
 * Of two statements of one name the higher rank counts: the later number. Two of one number, as from a host that lost
 * its state or was counted twice, are ranked by chance, but by the same on all hosts.
 */
function rankOf({ body, signed }: Entry): number {
  const { text, signature, counter = '' } = signed;
  const chance = createHash('sha256').update(`${text}\n${signature}\n${counter}`).digest().readUInt16BE();
  return body.sequence * 2 ** 16 + chance;
}
