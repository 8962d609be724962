import type { Database } from '../../base';
import { MembershipError, WrongFogError } from '../errors';
import type { Ability } from '../mesh';
import { publicKeyOf } from './peer-id';
import { type Entry, markOf, peerOf, Standing } from './standing';
import { type Inventory, nameOf, StatementTable } from './statement-table';
import {
  type Body,
  type Certificate,
  fingerprintOf,
  type HostRecord,
  type InviteGrant,
  openStatement,
  type Revocation,
  type Signed,
} from './statements';

/** Clocks of a fog may be a day apart, and an hour for good measure: how long after its end a date still counts. */
export const CLOCK_SLACK = 25 * 3_600_000;
/** Statements that a stranger may have checked, at two signatures each; a member's line of invites is shorter. */
export const MAXIMUM_PROOF = 32;

type Kind = Body['kind'];
type BodyOf<K extends Kind> = Extract<Body, { kind: K }>;
type Objection = 'unknown' | 'revoked' | 'unvouched' | 'expired';

/**
 * All statements of the fog that this host knows, kept over restarts. It takes in a statement whose signers lead
 * back to the fog key, whether or not they were revoked since: so hosts that tell each other everything end up
 * with the same, and with the same judgement of it; see `Standing`.
 */
export class Ledger {
  readonly fog: string;
  readonly fogKey: string;
  readonly #database: Database;
  readonly #table: StatementTable;
  readonly #standing: Standing;
  /** What was found of each peer, until the statements change. */
  readonly #judged = new Map<string, Objection | undefined>();

  constructor(database: Database, fogKey: Uint8Array) {
    this.#database = database;
    this.fogKey = Buffer.from(fogKey).toString('base64url');
    this.fog = fingerprintOf(fogKey);
    this.#table = new StatementTable(database, this.fog);
    const entryOf = <B extends Body>(name: string) => this.#table.get(name) as Entry<B> | undefined;
    this.#standing = new Standing({
      fogKey: this.fogKey,
      certificate: (peerId) => entryOf<Certificate>(`certificate ${peerId}`),
      invite: (id) => entryOf<InviteGrant>(`invite ${id}`),
      revocations: (peerId) => this.#table.revocationsOf(peerId),
    });
  }

  get<K extends Exclude<Kind, 'revocation'>>(kind: K, key: string): BodyOf<K> | undefined {
    return this.#table.get(`${kind} ${key}`)?.body as BodyOf<K> | undefined;
  }

  all<K extends Kind>(kind: K): BodyOf<K>[] {
    return this.#table
      .all()
      .filter(({ body }) => body.kind === kind)
      .map(({ body }) => body as BodyOf<K>);
  }

  isRevoked(peerId: string): boolean {
    return this.#standing.isRevoked(peerId);
  }

  /** Why the peer is no member now, or undefined when it is one. `unvouched`: a revoked host had let it in. */
  objection(peerId: string, now = Date.now()): Objection | undefined {
    const judgement = this.#judge(peerId);
    if (judgement) return judgement;
    const { expires } = this.get('certificate', peerId)!;
    return expires !== undefined && now > expires + CLOCK_SLACK ? 'expired' : undefined;
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

  /** A revocation of the host that keeps all that is known of what it signed; still to be signed. */
  revocationOf(peerId: string): Revocation {
    const isBy = ({ body, signed }: Entry) => {
      if (body.kind === 'certificate')
        return signed.counter !== undefined && peerOf(signed.counter) === peerId;
      if (body.kind === 'invite') return body.issuer === peerId;
      return body.kind === 'revocation' && peerOf(signed.signer) === peerId;
    };
    const keeps = this.#table
      .all()
      .filter(isBy)
      .map(({ signed }) => markOf(signed));
    return { kind: 'revocation', fog: this.fog, key: peerId, sequence: 1, keeps };
  }

  /**
   * Takes in statements in whatever order they come and answers those that were new. The rest is ignored:
   * what is old, and what nobody of the fog signed.
   *
   * @param most how many may be unknown so far: checking signatures takes time
   * @throws {WrongFogError} {MembershipError} when one is malformed or forged, or there are too many
   */
  admit(statements: Signed[], most = Number.POSITIVE_INFINITY): Signed[] {
    const unknown = Array.isArray(statements) ? this.#table.unknown(statements) : undefined;
    if (!unknown || unknown.length > most) throw new MembershipError('it says too much');
    let open = unknown.map((signed) => ({ signed, body: openStatement(signed) }));
    const foreign = open.find(({ body }) => body.fog !== this.fog);
    if (foreign) throw new WrongFogError(foreign.body.fog, this.fog);
    const fresh: Signed[] = [];
    // A statement may rest on one that stands behind it.
    for (let progress = true; progress; ) {
      progress = false;
      const left: typeof open = [];
      for (const entry of open) {
        if (!this.#table.isNews(entry)) continue;
        if (this.#isAuthentic(entry)) {
          this.#put(entry);
          fresh.push(entry.signed);
          progress = true;
        } else left.push(entry);
      }
      open = left;
    }
    return fresh;
  }

  /**
   * As `admit`, for what a host shows that has yet to prove that it is a member: nothing of it is kept unless it is.
   *
   * @throws {WrongFogError} {MembershipError}
   */
  admitProof(peerId: string, proof: Signed[]): { fresh: Signed[]; objection: Objection | undefined } {
    return this.#database.transaction(() => {
      const replaced = new Map(this.#table.all().map((entry) => [nameOf(entry), entry]));
      const fresh = this.admit(proof, MAXIMUM_PROOF);
      const objection = this.objection(peerId);
      if (!objection) return { fresh, objection };
      for (const signed of fresh) {
        const entry = { signed, body: JSON.parse(signed.text) as Body };
        const before = replaced.get(nameOf(entry));
        if (before) this.#put(before);
        else this.#remove(entry);
      }
      return { fresh: [], objection };
    })();
  }

  /** The statements that prove to anybody with the fog key that the peer is a member, the peer's own first. */
  proofOf(peerId: string): Signed[] {
    const proof = new Map<string, Signed>();
    const add = (name: string): void => {
      const entry = this.#table.get(name);
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
    return this.#table.inventory();
  }

  digest(): string {
    return this.#table.digest();
  }

  compare(other: Inventory): { lacking: Signed[]; wanted: string[] } {
    return this.#table.compare(other);
  }

  statements(names: string[]): Signed[] {
    return names.map((name) => this.#table.get(name)?.signed).filter((signed) => signed !== undefined);
  }

  #isAuthentic({ body, signed }: Entry): boolean {
    if (body.sequence < 1) return false;
    if (body.kind === 'record') return this.#isOwnWord(body, signed);
    if (signed.signer === this.fogKey) return true;
    if (body.kind === 'certificate') return this.#isCounted(body, signed);
    const signer = peerOf(signed.signer);
    const abilities = this.get('certificate', signer)?.abilities ?? [];
    // Of itself it would only say what to keep.
    if (body.kind === 'revocation') return abilities.includes('revoke') && signer !== body.key;
    if (body.issuer !== signer || !abilities.includes('invite')) return false;
    return body.abilities.every((ability) => abilities.includes(ability));
  }

  #isOwnWord(record: HostRecord, signed: Signed): boolean {
    const key = publicKeyOf(record.key);
    return key?.toString('base64url') === signed.signer && this.get('certificate', record.key) !== undefined;
  }

  #isCounted(certificate: Certificate, signed: Signed): boolean {
    const invite = certificate.invite ? this.get('invite', certificate.invite) : undefined;
    if (!invite || signed.signer !== invite.joinKey || !signed.counter) return false;
    if (!certificate.abilities.every((ability) => invite.abilities.includes(ability))) return false;
    return this.get('certificate', peerOf(signed.counter)) !== undefined;
  }

  #judge(peerId: string): Objection | undefined {
    if (!this.#judged.has(peerId)) this.#judged.set(peerId, this.#judgementOf(peerId));
    return this.#judged.get(peerId);
  }

  #judgementOf(peerId: string): Objection | undefined {
    if (!this.get('certificate', peerId)) return 'unknown';
    if (this.#standing.isRevoked(peerId)) return 'revoked';
    return this.#standing.isVouchedFor(peerId) ? undefined : 'unvouched';
  }

  #put(entry: Entry): void {
    this.#table.put(entry);
    this.#judged.clear();
  }

  #remove(entry: Entry): void {
    this.#table.remove(entry);
    this.#judged.clear();
  }
}

/** @throws {MembershipError} when it is no statement of that kind. */
export function expectKind<K extends Kind>(signed: Signed, kind: K): BodyOf<K> {
  const body = openStatement(signed);
  if (body.kind !== kind) throw new MembershipError(`a ${kind} was expected`);
  return body as BodyOf<K>;
}
