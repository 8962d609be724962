import type { BlobReader, DocumentCache, LayerOrigin, NearDocument } from '../../image';
import type { PeerBlobs, SiteBlobs } from '../../store';

/** Manifests and configurations of images, as blobs on the site's NAS and with the other sites. */
export class ImageDocuments implements DocumentCache {
  /**
   * @param site Undefined without a NAS: nothing is kept for others then.
   * @param peers Answers undefined while there are none.
   */
  constructor(
    private readonly site: SiteBlobs | undefined,
    private readonly peers: () => Promise<PeerBlobs | undefined>,
  ) {}

  async read(digest: string, limit: number, signal?: AbortSignal): Promise<NearDocument | undefined> {
    // A NAS in trouble is no reason not to ask the others.
    const here = await this.#readHere(digest, limit).catch(() => undefined);
    if (here) return here;
    const found = await (await this.peers())?.openSmall(digest, limit, signal);
    return found && readAll(found.reader, found.size, found.reader.origin ?? 'peer:unknown');
  }

  async keep(digest: string, bytes: Uint8Array): Promise<void> {
    await this.site?.keepBytes(digest, bytes);
  }

  async lastDigest(ref: string): Promise<string | undefined> {
    return this.site?.lastDigest(ref);
  }

  async rememberDigest(ref: string, digest: string): Promise<void> {
    await this.site?.rememberDigest(ref, digest);
  }

  async #readHere(digest: string, limit: number): Promise<NearDocument | undefined> {
    const found = await this.site?.openSmall(digest, limit);
    return found && readAll(found.reader, found.size, 'nas');
  }
}

/** No more than was announced, for it is held in memory. */
async function readAll(
  reader: BlobReader,
  size: number,
  origin: LayerOrigin,
): Promise<NearDocument | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (let chunk = await reader.read(); chunk; chunk = await reader.read()) {
      length += chunk.length;
      if (length > size) return undefined;
      // It is valid until the next one is read.
      chunks.push(Uint8Array.from(chunk));
    }
  } finally {
    reader.close();
  }
  return { bytes: Buffer.concat(chunks), origin };
}
