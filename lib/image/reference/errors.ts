import { GaruaError } from '../../base';
import type { Platform } from '../image';
import { formatPlatform } from './platform';

/** The text does not name an image. */
export class ImageReferenceError extends GaruaError {
  constructor(
    text: string,
    reason: string,
    hint = 'Write NAME[:TAG][@DIGEST], such as alpine:3.20 or host:5000/user/app:1.',
  ) {
    const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
    super(
      'ERR_IMAGE_REFERENCE_INVALID',
      `${JSON.stringify(shown)} is not an image reference: ${reason}`,
      hint,
    );
  }
}

/** The text does not name a platform. */
export class PlatformInvalidError extends GaruaError {
  constructor(text: string) {
    super(
      'ERR_IMAGE_PLATFORM_INVALID',
      `${JSON.stringify(text)} is not a platform`,
      'Write OS/ARCHITECTURE[/VARIANT], such as linux/arm64 or linux/arm/v7.',
    );
  }
}

/** The image exists, but not for this platform. */
export class PlatformNotFoundError extends GaruaError {
  constructor(name: string, wanted: Platform, offered: Platform[]) {
    const list = [...new Set(offered.map(formatPlatform))].join(', ');
    super(
      'ERR_IMAGE_PLATFORM_NOT_FOUND',
      `image ${name} is not made for ${formatPlatform(wanted)}; it is for ${list || 'no platform at all'}`,
      'Choose an image for this machine, or ask for one of these platforms by name (--platform).',
    );
  }
}
