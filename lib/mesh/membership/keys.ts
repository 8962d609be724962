import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { writeFileAtomic } from '../../base';
import { publicKeyOf } from './peer-id';

/** DER before the 32 bytes of an ed25519 key (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** An ed25519 key pair. It shows its secret nowhere but in `seed`. */
export class SigningKey {
  readonly #seed: Buffer;
  readonly #key: KeyObject;
  /** 32 bytes. */
  readonly publicKey: Buffer;

  constructor(seed: Uint8Array = randomBytes(32)) {
    if (seed.length !== 32) throw new TypeError('an ed25519 seed has 32 bytes');
    this.#seed = Buffer.from(seed);
    this.#key = createPrivateKey({
      key: Buffer.concat([PRIVATE_PREFIX, seed]),
      format: 'der',
      type: 'pkcs8',
    });
    const der = createPublicKey(this.#key).export({ format: 'der', type: 'spki' });
    this.publicKey = der.subarray(PUBLIC_PREFIX.length);
  }

  /** The secret itself, 32 bytes. */
  seed(): Buffer {
    return Buffer.from(this.#seed);
  }

  sign(data: Uint8Array): Buffer {
    return sign(null, data, this.#key);
  }

  toJSON(): string {
    return '[secret key]';
  }

  [inspect.custom](): string {
    return '[secret key]';
  }
}

export function verifySignature(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const key = createPublicKey({
    key: Buffer.concat([PUBLIC_PREFIX, publicKey]),
    format: 'der',
    type: 'spki',
  });
  return verify(null, data, key, signature);
}

/** Whether the host with that peer ID has signed the bytes. */
export function isSignedBy(peerId: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = publicKeyOf(peerId);
  return key !== undefined && verifySignature(key, bytes, signature);
}

/** Reads a key file, mode 0600; undefined when there is none. */
export async function readKey(path: string): Promise<SigningKey | undefined> {
  try {
    return new SigningKey(Buffer.from((await readFile(path, 'utf8')).trim(), 'base64url'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeKey(path: string, key: SigningKey): Promise<void> {
  await writeFileAtomic(path, `${key.seed().toString('base64url')}\n`, 0o600);
}
