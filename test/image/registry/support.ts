import type { BlobReader, Descriptor } from '../../../lib/image/image';
import { parseReference, type RegistryReference } from '../../../lib/image/reference';
import { RegistryImageSource, type RegistrySourceOptions } from '../../../lib/image/registry';

/** A source for `host/name`, without the credentials of whoever runs the test. */
export function openSource(reference: string, options: RegistrySourceOptions = {}): RegistryImageSource {
  return new RegistryImageSource(parseReference(reference) as RegistryReference, {
    credentialPlaces: { dockerConfig: null },
    timeouts: { connectMs: 2000, idleMs: 2000 },
    ...options,
  });
}

export async function readAll(reader: BlobReader | undefined): Promise<Buffer> {
  if (!reader) throw new Error('the source does not have the blob');
  const pieces: Uint8Array[] = [];
  for (let piece = await reader.read(); piece; piece = await reader.read()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** Opens and reads a blob; the source is closed whatever happens. */
export async function readBlob(
  source: RegistryImageSource,
  descriptor: Descriptor,
  offset = 0,
): Promise<Buffer> {
  try {
    return await readAll(await source.openBlob(descriptor, offset));
  } finally {
    await source.close();
  }
}
