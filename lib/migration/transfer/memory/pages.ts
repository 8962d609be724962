import { hash } from 'node:crypto';

/** The unit in which memory is compared. Where the kernel's pages are larger (16 KiB on a Pi 5) they hold several. */
export const PAGE = 4096;

const ZERO = Buffer.alloc(PAGE);

export const isZero = (page: Uint8Array) => ZERO.equals(page);

/** The SHA-256 of a page, as text of one byte per character: it is the key of large maps. */
export const pageDigest = (page: Uint8Array) => hash('sha256', page, 'binary');
