import type { BlobReader, BlobSource, Descriptor, LayerOrigin } from '../../image';
import { limited, unlessAborted, within } from '../fetch/patience';
import { nearestFirst } from '../fetch/providers';
import type { Provider, Sites } from '../store';
import { decodeDagNode } from '../tree/dag-pb';
import { CHUNK_BYTES, LINKS, MAXIMUM_BLOCK_BYTES } from '../tree/layout';
import { decodeFileData } from '../tree/unixfs';

/** Whether a host has a blob; the next block of it. In milliseconds. */
const ANSWER_MS = 3_000;
const BLOCK_MS = 20_000;
/** A host that failed in the middle is not asked again for so long. */
const AVOIDED_MS = 60_000;

/** The other sites of the fog as a place that blobs of images come from, so that the registry is not asked. */
export class PeerBlobs implements BlobSource {
  /** Of a blob whose host is not known; a reader names its own. */
  readonly origin = 'peer:unknown';
  readonly #avoided = new Map<string, number>();

  constructor(private readonly sites: Sites) {}

  async openBlob(
    { digest, size }: Descriptor,
    offset: number,
    signal?: AbortSignal,
  ): Promise<BlobReader | undefined> {
    for await (const { host, found } of this.#having(digest, signal)) {
      if (found.size === size) return this.#reader(host, found.cid, offset);
    }
    return undefined;
  }

  /** A blob of at most so many bytes whose size is not known. */
  async openSmall(
    digest: string,
    limit: number,
    signal?: AbortSignal,
  ): Promise<{ size: number; reader: BlobReader } | undefined> {
    for await (const { host, found } of this.#having(digest, signal)) {
      if (found.size <= limit) return { size: found.size, reader: this.#reader(host, found.cid, 0) };
    }
    return undefined;
  }

  /** Hosts that have a blob, the nearest first. */
  async *#having(digest: string, signal: AbortSignal | undefined) {
    for (const host of await nearestFirst(this.sites)) {
      if ((this.#avoided.get(host.id) ?? 0) > performance.now()) continue;
      const found = await within(ANSWER_MS, signal, 'the question', (limit) =>
        host.findBlob(digest, { signal: limit }),
      ).catch(() => undefined);
      signal?.throwIfAborted();
      if (found) yield { host, found };
    }
  }

  #reader(host: Provider, cid: string, offset: number): PeerBlobReader {
    return new PeerBlobReader(host, cid, offset, () => {
      this.#avoided.set(host.id, performance.now() + AVOIDED_MS);
    });
  }
}

/** The blob's bytes out of the object's blocks. They are not checked here: the puller checks every byte. */
class PeerBlobReader implements BlobReader {
  readonly origin: LayerOrigin;
  readonly #over = new AbortController();
  readonly #blocks: AsyncIterator<Uint8Array>;
  #skip: number;

  constructor(
    host: Provider,
    cid: string,
    offset: number,
    private readonly onFailure: () => void,
  ) {
    this.origin = `peer:${host.name}`;
    const firstLeaf = Math.floor(offset / CHUNK_BYTES);
    this.#skip = offset - firstLeaf * CHUNK_BYTES;
    this.#blocks = host.readBlocks(cid, firstLeaf, { signal: this.#over.signal })[Symbol.asyncIterator]();
  }

  async read(): Promise<Uint8Array | undefined> {
    const limit = limited(this.#over.signal, BLOCK_MS);
    try {
      for (;;) {
        const next = await unlessAborted(this.#blocks.next(), limit.signal, 'the transfer');
        if (next.done) return undefined;
        const bytes = contentOf(next.value).subarray(this.#skip);
        if (bytes.length === 0) continue;
        this.#skip = 0;
        return bytes;
      }
    } catch (error) {
      this.onFailure();
      // The next attempt goes on with another host, or with the registry.
      throw Object.assign(error as Error, { temporary: true });
    } finally {
      limit.end();
    }
  }

  close(): void {
    this.#over.abort();
    void this.#blocks.return?.()?.catch(() => {});
  }
}

/** Nothing for a block that only names others. */
function contentOf(block: Uint8Array): Uint8Array {
  if (block.length > MAXIMUM_BLOCK_BYTES) throw new RangeError('a block is too long');
  return decodeFileData(decodeDagNode(block, LINKS).data, LINKS).bytes;
}
