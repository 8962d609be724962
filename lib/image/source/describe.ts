import { AbortedError, toGaruaError } from '../../base';
import type { ImageDescription } from '../image';
import { formatPlatform, formatReference, hostPlatform, parsePlatform, parseReference } from '../reference';
import { openImageSource, type SourceOptions } from '.';

/**
 * Asks the source of an image what it is, and fetches no layer. With no platform: for this machine.
 *
 * @throws what resolving an image in a pull throws; {AbortedError}
 */
export async function describeImage(
  ref: string,
  options: SourceOptions & { platform?: string | undefined } = {},
): Promise<ImageDescription> {
  const reference = parseReference(ref);
  const name = formatReference(reference);
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform);
  try {
    const source = await openImageSource(reference, options);
    try {
      const { digest, manifest, config, platforms } = await source.resolve(platform, options.signal);
      const { os, architecture, variant } = config;
      const own = os && architecture ? { os, architecture, ...(variant ? { variant } : {}) } : platform;
      return {
        ref: name,
        digest,
        platform: formatPlatform(own),
        platforms: (platforms.length > 0 ? platforms : [own]).map(formatPlatform),
        size: manifest.layers.reduce((total, layer) => total + layer.size, 0),
        layers: manifest.layers.length,
      };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (options.signal?.aborted) throw new AbortedError(`looking at ${name}`, { cause: error });
    throw toGaruaError(error, `looking at ${name}`);
  }
}
