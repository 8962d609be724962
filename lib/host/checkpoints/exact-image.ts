import { GaruaError, type LongCall } from '../../base';
import { formatReference, type ImageStore, parseReference, type StoredImage } from '../../image';
import { CheckpointImageChangedError } from '../../migration/checkpoint-file';

/**
 * Exactly the image that a container was made from: from this host, else from where its reference leads.
 *
 * @throws {CheckpointImageChangedError} when that leads to another by now
 */
export async function exactImage(
  images: ImageStore,
  { ref, digest }: { ref: string; digest: string },
  { signal, onProgress }: LongCall,
): Promise<StoredImage> {
  const present = images.images().find((image) => image.digest === digest);
  if (present) return present;
  const reference = parseReference(ref);
  const exact = reference.transport === 'registry' ? formatReference({ ...reference, digest }) : ref;
  const pulled = await images.pull(exact, { signal, onProgress }).catch((error: unknown) => {
    throw error instanceof GaruaError && error.code === 'ERR_IMAGE_NOT_FOUND'
      ? new CheckpointImageChangedError(ref, digest, 'not to be found')
      : error;
  });
  if (pulled.digest !== digest) throw new CheckpointImageChangedError(ref, digest, pulled.digest);
  return images.get(pulled.ref);
}
