import { inspect } from 'node:util';
import { InvalidInviteError } from '../errors';
import { SigningKey } from './keys';
import { fingerprintOf, openStatement, type Signed } from './statements';

const MARK = 'garua-invite-1-';
const MAXIMUM_LENGTH = 32 << 10;

interface InviteContent {
  /** The fog's name, for people. */
  name: string;
  /** base64url. */
  fogKey: string;
  /** Where to ask, the issuer first: multiaddrs with a peer ID. */
  addresses: string[];
  /** The invite's grant and what proves it to a member that has not heard of it. */
  proof: Signed[];
  /** base64url of the join key's seed: the secret. */
  secret: string;
}

/** An invite: one line of text that lets hosts in. It prints itself as `[invite]`; only `reveal` tells. */
export class Invite {
  readonly #content: InviteContent;

  constructor(content: InviteContent) {
    this.#content = content;
  }

  /** @throws {InvalidInviteError} which never quotes the text. */
  static parse(text: string): Invite {
    const line = text.replace(/\s+/g, '');
    if (!line.startsWith(MARK)) throw new InvalidInviteError(`it does not begin with ${MARK}`);
    if (line.length > MAXIMUM_LENGTH) throw new InvalidInviteError('it is too long');
    let invite: Invite;
    try {
      const content = JSON.parse(
        Buffer.from(line.slice(MARK.length), 'base64url').toString(),
      ) as InviteContent;
      invite = new Invite(content);
      invite.grant();
      invite.key();
      if (!Array.isArray(content.addresses) || content.addresses.length === 0) throw new Error('no address');
    } catch {
      // The cause would quote the text.
      throw new InvalidInviteError('a part of it is missing or changed');
    }
    if (!invite.key().publicKey.equals(Buffer.from(invite.grant().joinKey, 'base64url'))) {
      throw new InvalidInviteError('its secret is not the one its grant names');
    }
    return invite;
  }

  reveal(): string {
    return MARK + Buffer.from(JSON.stringify(this.#content)).toString('base64url');
  }

  key(): SigningKey {
    return new SigningKey(Buffer.from(this.#content.secret, 'base64url'));
  }

  grant() {
    const body = openStatement(this.#content.proof[0]!);
    if (body.kind !== 'invite') throw new InvalidInviteError('it carries no grant');
    return body;
  }

  get name(): string {
    return this.#content.name;
  }

  get fogKey(): Buffer {
    return Buffer.from(this.#content.fogKey, 'base64url');
  }

  get fingerprint(): string {
    return fingerprintOf(this.fogKey);
  }

  get addresses(): string[] {
    return this.#content.addresses;
  }

  get proof(): Signed[] {
    return this.#content.proof;
  }

  toString(): string {
    return '[invite]';
  }

  toJSON(): string {
    return '[invite]';
  }

  [inspect.custom](): string {
    return '[invite]';
  }
}
