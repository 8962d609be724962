import { GaruaError } from '../../base';

/** Bytes do not have the digest under which they were asked for. */
export class ManifestDigestMismatchError extends GaruaError {
  constructor(what: string, expected: string, actual: string) {
    super(
      'ERR_IMAGE_DIGEST_MISMATCH',
      `${what} has the digest ${actual}, not ${expected}`,
      'It was changed or damaged on its way; try again, or get the image from elsewhere.',
    );
  }
}

/** A manifest, index or configuration that breaks the image-spec. */
export class ManifestInvalidError extends GaruaError {
  constructor(what: string, reason: string, options?: ErrorOptions) {
    super(
      'ERR_IMAGE_MANIFEST_INVALID',
      `${what} is not valid: ${reason}`,
      'The image has to be built or pushed anew.',
      options,
    );
  }
}

/** Well-formed, but nothing that can be unpacked and run here. */
export class ManifestUnsupportedError extends GaruaError {
  constructor(what: string, reason: string, hint: string) {
    super('ERR_IMAGE_MANIFEST_UNSUPPORTED', `${what} cannot be used: ${reason}`, hint);
  }
}

/** Longer than any honest manifest or configuration. */
export class ManifestTooLargeError extends GaruaError {
  constructor(what: string, limit: number) {
    super(
      'ERR_IMAGE_MANIFEST_TOO_LARGE',
      `${what} is larger than the ${limit} bytes that are accepted`,
      'Check that the reference names a container image.',
    );
  }
}

/** Nothing has this name, tag or digest at the source. */
export class ImageUnknownError extends GaruaError {
  constructor(message: string, hint = 'Check the name and the tag.', options?: ErrorOptions) {
    super('ERR_IMAGE_NOT_FOUND', message, hint, options);
  }
}

/** A source delivered more bytes of a blob than its descriptor allows. */
export class BlobTooLongError extends GaruaError {
  constructor(what: string, size: number) {
    super(
      'ERR_IMAGE_BLOB_TOO_LONG',
      `${what} is longer than the ${size} bytes that the manifest says`,
      'The source is damaged or lies; get the image from elsewhere.',
    );
  }
}
