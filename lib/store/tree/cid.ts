import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { InvalidArgumentError } from '../../base';

/** Multicodec codes: https://github.com/multiformats/multicodec, table.csv. */
const DAG_PB = 0x70;
const RAW = 0x55;
const SHA2_256 = 0x12;
export const DIGEST_BYTES = 32;
/** Longest text that is looked at; a CIDv1 with SHA-256 has 59 characters in base32. */
const LONGEST = 128;

/** The CIDv1 in base32 of a dag-pb block, from its SHA-256. */
export function objectCid(digest: Uint8Array): string {
  return CID.createV1(DAG_PB, create(SHA2_256, digest)).toString();
}

/** The CIDv1 in base32 of bytes as they are, from their SHA-256. */
export function rawCid(digest: Uint8Array): string {
  return CID.createV1(RAW, create(SHA2_256, digest)).toString();
}

/**
 * The SHA-256 in an object's CID, which may be a CIDv0 or a CIDv1 in any base that multiformats decodes.
 *
 * @throws {InvalidArgumentError} when it names no dag-pb block by SHA-256
 */
export function objectDigest(cid: string): Buffer {
  const parsed = parse(cid);
  if (parsed.code !== DAG_PB) {
    throw new InvalidArgumentError(
      `${cid} names no object: its codec is ${parsed.code}`,
      'Use the CID that garua put printed.',
    );
  }
  return Buffer.from(parsed.multihash.digest);
}

/** An object's CID as this store writes it: CIDv1, base32. @throws {InvalidArgumentError} */
export function canonicalCid(cid: string): string {
  return objectCid(objectDigest(cid));
}

function parse(text: string): CID {
  try {
    if (text.length > LONGEST) throw new RangeError('too long');
    const cid = CID.parse(text);
    if (cid.multihash.code === SHA2_256 && cid.multihash.digest.length === DIGEST_BYTES) return cid;
  } catch (error) {
    throw new InvalidArgumentError(
      `"${text.slice(0, LONGEST)}" is no CID`,
      'Use the CID that garua put printed.',
      {
        cause: error,
      },
    );
  }
  throw new InvalidArgumentError(`${text} is not by SHA-256`, 'Use the CID that garua put printed.');
}
