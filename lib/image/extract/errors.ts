import { GaruaError } from '../../base';

/** The archive breaks the tar format, ends too early, or contradicts itself. */
export class LayerCorruptError extends GaruaError {
  constructor(message: string, options?: ErrorOptions) {
    super(
      'ERR_LAYER_CORRUPT',
      `the layer is corrupt: ${message}`,
      'Pull the image again; if it fails again, the image has to be rebuilt.',
      options,
    );
  }
}

/** An entry tries to reach outside the folder that the layer is unpacked into. */
export class LayerBreakoutError extends GaruaError {
  constructor(message: string) {
    super(
      'ERR_LAYER_BREAKOUT',
      `the layer tries to leave its folder: ${message}`,
      'Do not use this image: an ordinary build does not make such a layer.',
    );
  }
}

/** The entry is well-formed but of a kind that no container image needs. */
export class LayerUnsupportedError extends GaruaError {
  constructor(message: string, options?: ErrorOptions) {
    super(
      'ERR_LAYER_UNSUPPORTED',
      `the layer needs something that is not supported: ${message}`,
      'Rebuild the image without it.',
      options,
    );
  }
}
