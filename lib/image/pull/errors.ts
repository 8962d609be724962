import { GaruaError } from '../../base';
import type { Digest } from '../image';

/** Bytes that arrived are not the ones that their digest names. */
export class DigestMismatchError extends GaruaError {
  constructor(what: string, want: Digest, got: Digest) {
    super(
      'ERR_IMAGE_DIGEST_MISMATCH',
      `${what} has the wrong digest: got ${got}, want ${want}`,
      'The source sends damaged or forged data; nothing of it was kept. Try again, or use another source.',
    );
  }
}

/** A blob is longer or shorter than its descriptor says. */
export class BlobSizeError extends GaruaError {
  constructor(digest: Digest, got: string, want: number) {
    super(
      'ERR_IMAGE_SIZE_MISMATCH',
      `blob ${digest} has the wrong size: got ${got}, want ${want} bytes`,
      'The source sends damaged or forged data; nothing of it was kept. Try again, or use another source.',
    );
  }
}

/** A blob could not be fetched, also after waiting and trying again. */
export class DownloadFailedError extends GaruaError {
  constructor(digest: Digest, attempts: number, cause: unknown) {
    super(
      'ERR_IMAGE_DOWNLOAD_FAILED',
      `blob ${digest} could not be downloaded in ${attempts} attempts: ${(cause as Error).message}`,
      'Check the network and the source. What has arrived is kept: the next pull continues there.',
      { cause },
    );
  }
}

/** No source has the blob. */
export class BlobMissingError extends GaruaError {
  constructor(digest: Digest) {
    super(
      'ERR_IMAGE_BLOB_MISSING',
      `no source has the blob ${digest}`,
      'The image is incomplete where it is kept; push it again.',
    );
  }
}
