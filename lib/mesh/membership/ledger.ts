import { createHash } from 'node:crypto';
import { type Database, migrate } from '../../base';
import { MembershipError, WrongFogError } from '../errors';
import type { Ability } from '../mesh';
import { peerIdOf, publicKeyOf } from './peer-id';
import {
  type Body,
  type Certificate,
  fingerprintOf,
  type HostRecord,
  type InviteGrant,
  openStatement,
  type Signed,
} from './statements';

const SCHEMA = [
  `CREATE TABLE mesh_statement (
     fog TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL, signed TEXT NOT NULL,
     PRIMARY KEY (fog, kind, key))`,
];

/** Clocks of a fog may be a day apart, and an hour for good measure: how long after its end a date still counts. */
export const CLOCK_SLACK = 25 * 3_600_000;

interface Entry<B extends Body = Body> {
  body: B;
  signed: Signed;
}

type Kind = Body['kind'];
type BodyOf<K extends Kind> = Extract<Body, { kind: K }>;

/** What a host has, told in one line per statement: `kind key` -> sequence. */
export type Inventory = Record<string, number>;

/**
 * All statements of the fog that this host knows and believes, kept over restarts. It believes a statement
 * whose signers lead back to the fog key. What a revoked host signed counts only where it was known before
 * the revocation, or where a member that knew it passes it on together with nothing newer: so a stolen host
 * can let nobody in any more.
 */
export class Ledger {
  readonly fog: string;
  readonly fogKey: string;
  readonly #database: Database;
  readonly #entries = new Map<string, Entry>();
  #digest: string | undefined;

  constructor(database: Database, fogKey: Uint8Array) {
    migrate(database, 'mesh-ledger', SCHEMA);
    this.#database = database;
    this.fogKey = Buffer.from(fogKey).toString('base64url');
    this.fog = fingerprintOf(fogKey);
    const rows = database.prepare('SELECT kind, key, signed FROM mesh_statement WHERE fog = ?').all(this.fog);
    for (const { kind, key, signed } of rows as { kind: string; key: string; signed: string }[]) {
      const parsed = JSON.parse(signed) as Signed;
      this.#entries.set(`${kind} ${key}`, { body: JSON.parse(parsed.text) as Body, signed: parsed });
    }
  }

  get<K extends Kind>(kind: K, key: string): BodyOf<K> | undefined {
    return this.#entries.get(`${kind} ${key}`)?.body as BodyOf<K> | undefined;
  }

  all<K extends Kind>(kind: K): BodyOf<K>[] {
    return [...this.#entries.values()]
      .filter(({ body }) => body.kind === kind)
      .map(({ body }) => body as BodyOf<K>);
  }

  isRevoked(peerId: string): boolean {
    return this.#entries.has(`revocation ${peerId}`);
  }

  /** Why the peer is no member now, or undefined when it is one. */
  objection(peerId: string, now = Date.now()): 'unknown' | 'revoked' | 'expired' | undefined {
    const certificate = this.get('certificate', peerId);
    if (!certificate) return 'unknown';
    if (this.isRevoked(peerId)) return 'revoked';
    if (certificate.expires !== undefined && now > certificate.expires + CLOCK_SLACK) return 'expired';
    return undefined;
  }

  may(peerId: string, ability: Ability): boolean {
    return (
      this.objection(peerId) === undefined && this.get('certificate', peerId)!.abilities.includes(ability)
    );
  }

  /** How many hosts an invite has let in. */
  usesOf(invite: string): number {
    return this.all('certificate').filter((certificate) => certificate.invite === invite).length;
  }

  /**
   * Takes in statements in whatever order they come and answers those that were new. The rest is ignored:
   * what is old, and what nobody believable signed.
   *
   * @throws {WrongFogError} {MembershipError} when one is malformed or forged
   */
  admit(statements: Signed[]): Signed[] {
    let open = statements.map((signed) => ({ signed, body: openStatement(signed) }));
    const fresh: Signed[] = [];
    // A statement may rest on one that stands behind it.
    for (let progress = true; progress; ) {
      progress = false;
      const left: typeof open = [];
      for (const entry of open) {
        if (entry.body.fog !== this.fog) throw new WrongFogError(entry.body.fog, this.fog);
        if (!this.#isNews(entry)) continue;
        if (this.#isBelievable(entry)) {
          this.#store(entry);
          fresh.push(entry.signed);
          progress = true;
        } else left.push(entry);
      }
      open = left;
    }
    return fresh;
  }

  /** The statements that prove to anybody with the fog key that the peer is a member, the peer's own first. */
  proofOf(peerId: string): Signed[] {
    const proof = new Map<string, Signed>();
    const add = (name: string): void => {
      const entry = this.#entries.get(name);
      if (!entry || proof.has(name)) return;
      proof.set(name, entry.signed);
      const { body, signed } = entry;
      if (body.kind === 'certificate' && body.invite) add(`invite ${body.invite}`);
      for (const key of [signed.signer, signed.counter]) {
        if (key && key !== this.fogKey) add(`certificate ${peerOf(key)}`);
      }
    };
    add(`certificate ${peerId}`);
    return [...proof.values()];
  }

  inventory(): Inventory {
    return Object.fromEntries([...this.#entries].map(([name, { body }]) => [name, body.sequence]));
  }

  /** Equal on two hosts exactly when they know the same. */
  digest(): string {
    this.#digest ??= createHash('sha256')
      .update(
        Object.entries(this.inventory())
          .map(([name, sequence]) => `${name} ${sequence}`)
          .sort()
          .join('\n'),
      )
      .digest('base64url')
      .slice(0, 22);
    return this.#digest;
  }

  /** What the other does not have, and the names of what it has newer. */
  compare(other: Inventory): { lacking: Signed[]; wanted: string[] } {
    const lacking = [...this.#entries]
      .filter(([name, { body }]) => (other[name] ?? 0) < body.sequence)
      .map(([, { signed }]) => signed);
    const wanted = Object.entries(other)
      .filter(([name, sequence]) => (this.#entries.get(name)?.body.sequence ?? 0) < sequence)
      .map(([name]) => name);
    return { lacking, wanted };
  }

  statements(names: string[]): Signed[] {
    return names.map((name) => this.#entries.get(name)?.signed).filter((signed) => signed !== undefined);
  }

  #isNews({ body, signed }: Entry): boolean {
    const known = this.#entries.get(`${body.kind} ${body.key}`);
    if (!known) return true;
    if (body.sequence !== known.body.sequence) return body.sequence > known.body.sequence;
    // Two of one number can only be a host that lost its state: all must choose the same.
    return body.kind === 'record' && signed.text > known.signed.text;
  }

  #isBelievable({ body, signed }: Entry): boolean {
    if (body.sequence < 1) return false;
    if (body.kind === 'record') return this.#isOwnWord(body, signed);
    if (signed.signer === this.fogKey) return true;
    if (body.kind === 'certificate') return this.#isCounted(body, signed);
    const signer = peerOf(signed.signer);
    if (body.kind === 'revocation') return this.may(signer, 'revoke');
    return this.#isGranted(body, signer);
  }

  #isOwnWord(record: HostRecord, signed: Signed): boolean {
    const key = publicKeyOf(record.key);
    return key?.toString('base64url') === signed.signer && this.objection(record.key) === undefined;
  }

  #isGranted(invite: InviteGrant, signer: string): boolean {
    return invite.issuer === signer && this.may(signer, 'invite') && this.#mayPassOn(invite, signer);
  }

  #mayPassOn({ abilities }: InviteGrant, issuer: string): boolean {
    const own = this.get('certificate', issuer)!.abilities;
    return abilities.every((ability) => own.includes(ability));
  }

  #isCounted(certificate: Certificate, signed: Signed): boolean {
    const invite = certificate.invite ? this.get('invite', certificate.invite) : undefined;
    if (!invite || signed.signer !== invite.joinKey || !signed.counter) return false;
    if (!certificate.abilities.every((ability) => invite.abilities.includes(ability))) return false;
    const objection = this.objection(peerOf(signed.counter));
    // What a member counted stays good after its own certificate has ended.
    return objection === undefined || objection === 'expired';
  }

  #store({ body, signed }: Entry): void {
    this.#database
      .prepare(
        `INSERT INTO mesh_statement VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (fog, kind, key) DO UPDATE SET sequence = excluded.sequence, signed = excluded.signed`,
      )
      .run(this.fog, body.kind, body.key, body.sequence, JSON.stringify(signed));
    this.#entries.set(`${body.kind} ${body.key}`, { body, signed });
    this.#digest = undefined;
  }
}

const peerOf = (signer: string) => peerIdOf(Buffer.from(signer, 'base64url'));

/** @throws {MembershipError} when it is no statement of that kind. */
export function expectKind<K extends Kind>(signed: Signed, kind: K): BodyOf<K> {
  const body = openStatement(signed);
  if (body.kind !== kind) throw new MembershipError(`a ${kind} was expected`);
  return body as BodyOf<K>;
}
