import { GaruaError } from '../../base';

/** A folder or file that is not the image archive that the reference says, or a damaged one. */
export class ImageArchiveError extends GaruaError {
  constructor(
    path: string,
    reason: string,
    hint = 'Make it again, for example with docker save or skopeo copy.',
    options?: ErrorOptions,
  ) {
    super('ERR_IMAGE_ARCHIVE_INVALID', `${path} cannot be used: ${reason}`, hint, options);
  }
}

/** The archive as a whole is compressed, so that nothing in it can be reached directly. */
export class ImageArchiveCompressedError extends GaruaError {
  constructor(path: string, tool: string) {
    super(
      'ERR_IMAGE_ARCHIVE_COMPRESSED',
      `${path} is compressed by ${tool} as a whole`,
      `Unpack it first (${tool} -d); the layers inside may be compressed.`,
    );
  }
}
