import { InviteExpiredError, InviteUsedUpError, MembershipError, RevokedError } from '../errors';
import type { Invite } from './invite';
import { CLOCK_SLACK, expectKind, type Ledger, MAXIMUM_PROOF } from './ledger';
import type { Identity } from './membership';
import { type Certificate, countersign, type Signed, signStatement } from './statements';

/** What a newcomer shows: its certificate signed with the invite's key, and the invite's grant with its proof. */
export interface JoinRequest {
  certificate: Signed;
  grant: Signed[];
}

export function requestToJoin(
  invite: Invite,
  identity: Identity,
  host: { name: string; site: string },
): JoinRequest {
  const grant = invite.grant();
  const issued = Date.now();
  const certificate: Certificate = {
    kind: 'certificate',
    fog: invite.fingerprint,
    key: identity.peerId,
    sequence: 1,
    ...host,
    issued,
    abilities: grant.abilities,
    invite: grant.key,
    ...(grant.certificateMs ? { expires: issued + grant.certificateMs } : {}),
  };
  return { certificate: signStatement(certificate, invite.key()), grant: invite.proof };
}

/**
 * Counts a use of an invite and confirms it, as the issuer or in its place.
 *
 * The rule: the issuer alone counts while it can be reached, by its own clock, also by way of another member. While
 * it cannot, one member counts for all who see each other (see `Counting`), by what it knows, with a day of slack for
 * the clocks. A fog that is cut in parts can so let in at most the count in every part; nobody is thrown out when the
 * parts meet again. A host that asks again gets its old answer and is not counted twice.
 *
 * @throws {InviteExpiredError} {InviteUsedUpError} {RevokedError} {MembershipError}
 */
export function countUse(request: JoinRequest, peerId: string, identity: Identity, ledger: Ledger): Signed {
  const grantName = checkRequest(request, peerId, ledger);
  const grant = ledger.get('invite', grantName)!;
  const known = ledger.get('certificate', peerId);
  if (known?.invite === grantName) return ledger.statements([`certificate ${peerId}`])[0]!;
  const slack = grant.issuer === identity.peerId ? 0 : CLOCK_SLACK;
  if (Date.now() > grant.expires + slack) throw new InviteExpiredError(grantName);
  if (ledger.usesOf(grantName) >= grant.uses) throw new InviteUsedUpError(grantName, grant.uses);
  const counted = countersign(request.certificate, identity.key);
  ledger.admit([counted]);
  if (ledger.objection(peerId))
    throw new MembershipError('the certificate asks for more than the invite gives');
  return counted;
}

/** Checks all of a request but the count, and answers the invite's id. */
export function checkRequest(request: JoinRequest, peerId: string, ledger: Ledger): string {
  const certificate = expectKind(request.certificate, 'certificate');
  if (certificate.key !== peerId) throw new MembershipError('the certificate is about another host');
  if (ledger.isRevoked(peerId)) throw new RevokedError('this host');
  ledger.admit(request.grant, MAXIMUM_PROOF);
  const grant = certificate.invite ? ledger.get('invite', certificate.invite) : undefined;
  if (!grant) throw new MembershipError('nobody of this fog made that invite');
  const objection = ledger.objection(grant.issuer);
  if (objection === 'revoked' || objection === 'unvouched') {
    throw new RevokedError('the host that made the invite');
  }
  if (request.certificate.signer !== grant.joinKey) throw new MembershipError("the invite's secret is wrong");
  if (grant.certificateMs && (certificate.expires ?? Infinity) > certificate.issued + grant.certificateMs) {
    throw new MembershipError('the certificate would last longer than the invite allows');
  }
  return grant.key;
}
