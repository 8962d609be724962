import { createHash } from 'node:crypto';
import { MembershipError } from '../errors';
import type { Ability, HostAbilities } from '../mesh';
import { type SigningKey, verifySignature } from './keys';

/**
 * What hosts tell each other for good. Every statement is signed, is about one `key`, and replaces an older
 * one of the same kind and key by its `sequence`, never by time: clocks may be a day apart.
 */
interface Statement {
  /** Fingerprint of the fog. */
  fog: string;
  sequence: number;
}

/** The peer belongs to the fog. Signed by the fog key, or by an invite's key and a member that counted it. */
export interface Certificate extends Statement {
  kind: 'certificate';
  /** The peer ID. */
  key: string;
  name: string;
  site: string;
  /** ms since the epoch. */
  issued: number;
  expires?: number;
  abilities: Ability[];
  /** The invite by which it came; absent where the fog key signed. */
  invite?: string;
}

/** Hosts may join by the invite's secret key. Signed by the fog key or by a host with the ability. */
export interface InviteGrant extends Statement {
  kind: 'invite';
  /** The invite's id. */
  key: string;
  /** base64url of the public half of the invite's secret. */
  joinKey: string;
  /** Peer ID of the host that made it and counts its uses. */
  issuer: string;
  uses: number;
  expires: number;
  abilities: Ability[];
  certificateMs?: number;
}

/** The peer is out, for good. Signed by the fog key or by a host with the ability. */
export interface Revocation extends Statement {
  kind: 'revocation';
  key: string;
  /** What the host signed before that still counts: certificates, invites and revocations, by their marks. */
  keeps: string[];
}

/** What a host says about itself. Signed by that host. */
export interface HostRecord extends Statement {
  kind: 'record';
  key: string;
  name: string;
  site: string;
  addresses: string[];
  abilities: HostAbilities;
}

export type Body = Certificate | InviteGrant | Revocation | HostRecord;

/** A statement as it travels: the exact text that was signed, and who signed (raw keys, base64url). */
export interface Signed {
  text: string;
  signer: string;
  signature: string;
  /** A certificate that an invite's key signed also carries the member that counted it. */
  counter?: string;
  counterSignature?: string;
}

/** Statements larger than this are refused; a revocation may keep more than a thousand others. */
export const MAXIMUM_STATEMENT = 24 << 10;
/** Sequence numbers are seconds since 1970 or counts. */
const MAXIMUM_SEQUENCE = 2 ** 32;
const DOMAIN = 'garua mesh statement 1\n';

const bytesToSign = (text: string) => Buffer.from(DOMAIN + text);
const base64 = (data: Uint8Array) => Buffer.from(data).toString('base64url');

export function signStatement(body: Body, key: SigningKey): Signed {
  const text = JSON.stringify(body);
  return { text, signer: base64(key.publicKey), signature: base64(key.sign(bytesToSign(text))) };
}

/** A member confirms that it counted this use of an invite. It signs the invite key's signature with the text. */
export function countersign(signed: Signed, key: SigningKey): Signed {
  const signature = key.sign(bytesToSign(`${signed.text}\n${signed.signature}`));
  return { ...signed, counter: base64(key.publicKey), counterSignature: base64(signature) };
}

/** Checks the signatures and the shape; who may sign what is for the ledger to say. @throws {MembershipError} */
export function openStatement(signed: Signed): Body {
  const { text, signer, signature, counter, counterSignature } = signed ?? {};
  for (const part of [text, signer, signature]) {
    if (typeof part !== 'string' || part.length > MAXIMUM_STATEMENT)
      throw new MembershipError('malformed statement');
  }
  const verified = (key: string, data: string, by: string) =>
    verifySignature(Buffer.from(key, 'base64url'), bytesToSign(data), Buffer.from(by, 'base64url'));
  if (!verified(signer, text, signature)) throw new MembershipError('a signature is wrong');
  if (counter !== undefined && !verified(counter, `${text}\n${signature}`, counterSignature ?? '')) {
    throw new MembershipError('a counter signature is wrong');
  }
  return checkShape(text);
}

function checkShape(text: string): Body {
  let body: Body;
  try {
    body = JSON.parse(text) as Body;
  } catch {
    throw new MembershipError('a statement is not JSON');
  }
  const strings: (keyof never)[] = ['kind', 'fog', 'key'] as never;
  const lists: string[] = [];
  const numbers: string[] = ['sequence'];
  const wanted = body as unknown as Record<string, unknown>;
  if (wanted?.kind === 'certificate') {
    strings.push(...(['name', 'site'] as never[]));
    lists.push('abilities');
    numbers.push('issued');
  } else if (wanted?.kind === 'invite') {
    strings.push(...(['joinKey', 'issuer'] as never[]));
    lists.push('abilities');
    numbers.push('uses', 'expires');
  } else if (wanted?.kind === 'record') {
    strings.push(...(['name', 'site'] as never[]));
    lists.push('addresses');
  } else if (wanted?.kind === 'revocation') lists.push('keeps');
  else throw new MembershipError('unknown statement');
  const good =
    strings.every((name) => typeof wanted[name as string] === 'string') &&
    numbers.every((name) => Number.isSafeInteger(wanted[name])) &&
    lists.every((name) => isTexts(wanted[name])) &&
    (wanted.sequence as number) < MAXIMUM_SEQUENCE;
  if (!good || !isName(wanted.name) || !isName(wanted.site)) throw new MembershipError('malformed statement');
  return body;
}

const isTexts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string');
const isName = (value: unknown) => value === undefined || isHostName(value as string);

/** Names of hosts and sites: what fits a table, a path and a shell. */
export function isHostName(value: string): boolean {
  return /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,62}$/u.test(value);
}

/** Names a fog by its public key: 26 letters of base32. */
export function fingerprintOf(publicKey: Uint8Array): string {
  const digest = createHash('sha256').update(publicKey).digest();
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of digest.subarray(0, 17)) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < 26) {
      bits -= 5;
      text += alphabet[(value >> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return text;
}
