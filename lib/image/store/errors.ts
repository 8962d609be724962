import { GaruaError } from '../../base';

/** The store has no image under this reference. */
export class ImageNotFoundError extends GaruaError {
  constructor(ref: string) {
    super(
      'ERR_IMAGE_NOT_FOUND',
      `image ${ref} is not in the store of this host`,
      'Pull it first (garua pull), or allow pulling by the pull policy.',
    );
  }
}

/** A digest prefix that more than one image has. */
export class ImageAmbiguousError extends GaruaError {
  constructor(prefix: string, digests: string[]) {
    super(
      'ERR_IMAGE_AMBIGUOUS',
      `${prefix} stands for more than one image: ${digests.join(', ')}`,
      'Write more digits of the digest, or the reference.',
    );
  }
}
