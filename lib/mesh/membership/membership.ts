import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type DataDirectory, makeFolders, writeFileAtomic } from '../../base';
import { NotAllowedError } from '../errors';
import type { Ability, InviteOptions } from '../mesh';
import { Invite } from './invite';
import { readKey, SigningKey, writeKey } from './keys';
import type { Ledger } from './ledger';
import { peerIdOf } from './peer-id';
import { fingerprintOf, type InviteGrant, type Signed, signStatement } from './statements';

const DAY = 86_400_000;
export const ALL_ABILITIES: Ability[] = ['invite', 'revoke'];

/** What a host needs to be a member of its fog again after it lost everything but this file. */
export interface MembershipFile {
  name: string;
  /** base64url. */
  fogKey: string;
  proof: Signed[];
  /** Where the fog was met first: multiaddrs. */
  addresses: string[];
}

/** The keys and the membership of this host: small files under `mesh/` in the data directory, mode 0600. */
export class Identity {
  readonly key: SigningKey;
  readonly peerId: string;
  readonly #directory: DataDirectory;

  private constructor(key: SigningKey, directory: DataDirectory) {
    this.key = key;
    this.peerId = peerIdOf(key.publicKey);
    this.#directory = directory;
  }

  /** Reads this host's key, and makes it when there is none yet. */
  static async load(directory: DataDirectory): Promise<Identity> {
    makeFolders(directory.join('mesh'), 0o700);
    const path = directory.join('mesh', 'host.key');
    let key = await readKey(path);
    if (!key) {
      key = new SigningKey();
      await writeKey(path, key);
    }
    return new Identity(key, directory);
  }

  async membership(): Promise<MembershipFile | undefined> {
    try {
      return JSON.parse(await readFile(this.#membershipPath, 'utf8')) as MembershipFile;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async saveMembership(membership: MembershipFile): Promise<void> {
    await writeFileAtomic(this.#membershipPath, `${JSON.stringify(membership, null, 2)}\n`, 0o600);
  }

  /** Makes a fog whose first host this is. Its key stays here. */
  async createFog(fogName: string, host: { name: string; site: string }): Promise<MembershipFile> {
    const path = this.#directory.join('mesh', 'fog.key');
    const fogKey = (await readKey(path)) ?? new SigningKey();
    await writeKey(path, fogKey);
    const certificate = signStatement(
      {
        kind: 'certificate',
        fog: fingerprintOf(fogKey.publicKey),
        key: this.peerId,
        sequence: 1,
        ...host,
        issued: Date.now(),
        abilities: ALL_ABILITIES,
      },
      fogKey,
    );
    const membership = {
      name: fogName,
      fogKey: fogKey.publicKey.toString('base64url'),
      proof: [certificate],
      addresses: [],
    };
    await this.saveMembership(membership);
    return membership;
  }

  get #membershipPath(): string {
    return this.#directory.join('mesh', 'membership.json');
  }
}

/** Makes an invite and its grant; the grant must reach the other hosts, so that they know the count. */
export function makeInvite(
  identity: Identity,
  ledger: Ledger,
  fog: { name: string; addresses: string[] },
  options: InviteOptions,
): { invite: Invite; grant: Signed } {
  if (!ledger.may(identity.peerId, 'invite')) throw new NotAllowedError('invite hosts');
  const joinKey = new SigningKey();
  const own = ledger.get('certificate', identity.peerId)!.abilities;
  const body: InviteGrant = {
    kind: 'invite',
    fog: ledger.fog,
    key: randomBytes(9).toString('base64url'),
    sequence: 1,
    joinKey: joinKey.publicKey.toString('base64url'),
    issuer: identity.peerId,
    uses: options.uses ?? 1,
    expires: Date.now() + (options.validMs ?? DAY),
    abilities: options.admin ? own : [],
    ...(options.certificateMs ? { certificateMs: options.certificateMs } : {}),
  };
  const grant = signStatement(body, identity.key);
  const invite = new Invite({
    name: fog.name,
    fogKey: ledger.fogKey,
    addresses: fog.addresses,
    proof: [grant, ...ledger.proofOf(identity.peerId)],
    secret: joinKey.seed().toString('base64url'),
  });
  return { invite, grant };
}
