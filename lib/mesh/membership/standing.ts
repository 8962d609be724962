import { createHash } from 'node:crypto';
import { peerIdOf } from './peer-id';
import type { Body, Certificate, InviteGrant, Revocation, Signed } from './statements';

export interface Entry<B extends Body = Body> {
  body: B;
  signed: Signed;
}

/** The statements a judgement rests on. */
export interface Statements {
  /** base64url. */
  readonly fogKey: string;
  certificate(peerId: string): Entry<Certificate> | undefined;
  invite(id: string): Entry<InviteGrant> | undefined;
  /** What was said against the peer, by whomever. */
  revocations(peerId: string): Entry<Revocation>[];
}

/** The peer ID of the key that signed. */
export const peerOf = (signer: string) => peerIdOf(Buffer.from(signer, 'base64url'));

/** Names a statement in a revocation: what the revoked host signed and what still counts. */
export function markOf({ text }: Signed): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

/**
 * Says what statements are worth once hosts are revoked. It depends on the set of statements alone and not on the
 * order in which they came, so that all hosts that know the same judge the same.
 *
 * What a revoked host signed counts only where its revocation says so, which lists all that its maker knew of: a
 * stolen host can let nobody in any more, and those whom it had let in before stay. A revocation by a host that was
 * itself revoked by a senior one (nearer to the fog key in the line of invites) counts by the same rule; two equals
 * that revoke each other are both out.
 */
export class Standing {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  isRevoked(peerId: string): boolean {
    return this.#isRevoked(peerId, new Set());
  }

  /** Whether those who let the peer in could do so. */
  isVouchedFor(peerId: string): boolean {
    return this.#isVouchedFor(peerId, new Set());
  }

  /** `open`: what is being judged; a judgement that needs itself may take it as good. */
  #isRevoked(peerId: string, open: Set<Entry>): boolean {
    return this.#statements.revocations(peerId).some((entry) => this.#stands(entry, open));
  }

  #isVouchedFor(peerId: string, open: Set<Entry>): boolean {
    const certificate = this.#statements.certificate(peerId);
    if (!certificate) return false;
    if (certificate.signed.signer === this.#statements.fogKey || open.has(certificate)) return true;
    const further = new Set(open).add(certificate);
    const invite = this.#statements.invite(certificate.body.invite ?? '');
    if (!invite) return false;
    const byFogKey = invite.signed.signer === this.#statements.fogKey;
    return (
      (byFogKey || this.#counts(invite, invite.body.issuer, further)) &&
      this.#counts(certificate, peerOf(certificate.signed.counter!), further)
    );
  }

  /** Whether a statement is worth its signer's word. */
  #counts(entry: Entry, signer: string, open: Set<Entry>): boolean {
    const against = this.#statements.revocations(signer).filter((each) => this.#stands(each, open));
    if (against.length > 0) return against.every(({ body }) => body.keeps.includes(markOf(entry.signed)));
    return this.#isVouchedFor(signer, open);
  }

  #stands(entry: Entry<Revocation>, open: Set<Entry>): boolean {
    const { signer } = entry.signed;
    if (signer === this.#statements.fogKey || open.has(entry)) return true;
    const revoker = peerOf(signer);
    const further = new Set(open).add(entry);
    if (!this.#isVouchedFor(revoker, further)) return false;
    const rank = this.#rank(revoker);
    return this.#statements
      .revocations(revoker)
      .filter((each) => this.#rankOfSigner(each) < rank && this.#stands(each, further))
      .every(({ body }) => body.keeps.includes(markOf(entry.signed)));
  }

  #rankOfSigner({ signed }: Entry): number {
    return signed.signer === this.#statements.fogKey ? -1 : this.#rank(peerOf(signed.signer));
  }

  /** How many invites lie between the fog key and the peer. */
  #rank(peerId: string): number {
    const seen = new Set<string>();
    for (let peer = peerId; ; ) {
      const certificate = this.#statements.certificate(peer);
      if (!certificate || seen.has(peer)) return Number.POSITIVE_INFINITY;
      if (certificate.signed.signer === this.#statements.fogKey) return seen.size;
      seen.add(peer);
      peer = this.#statements.invite(certificate.body.invite ?? '')?.body.issuer ?? '';
    }
  }
}
