import { throwIfAborted } from '../../base';
import type { Digest, DocumentCache, LayerOrigin } from '../image';
import { digestOf } from '../manifest';

/** The documents of one image: from near where they are, else fetched, and then kept for those who come later. */
export class NearDocuments {
  readonly #fetched = new Map<Digest, Uint8Array>();
  #near: LayerOrigin = 'registry';

  constructor(
    private readonly cache: DocumentCache | undefined,
    private readonly name: string,
  ) {}

  /** Where all of them came from. */
  get origin(): LayerOrigin {
    return this.#fetched.size > 0 ? 'registry' : this.#near;
  }

  /** The bytes under a digest. A cache in trouble, or with other bytes, is no reason to fail. */
  async read(
    digest: Digest,
    limit: number,
    signal: AbortSignal | undefined,
    fetch: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const near = await this.cache?.read(digest, limit, signal).catch(() => undefined);
    throwIfAborted(signal, `resolving ${this.name}`);
    if (near && digestOf(near.bytes) === digest) {
      this.#near = near.origin;
      return near.bytes;
    }
    const bytes = await fetch();
    this.add(digest, bytes);
    return bytes;
  }

  /** One that was fetched. */
  add(digest: Digest, bytes: Uint8Array): void {
    this.#fetched.set(digest, bytes);
  }

  async lastDigest(): Promise<Digest | undefined> {
    return this.cache?.lastDigest(this.name).catch(() => undefined);
  }

  /** Keeps what was fetched and, for a tag, what it means. */
  async keep(meaning: Digest | undefined): Promise<void> {
    const { cache } = this;
    if (!cache) return;
    for (const [digest, bytes] of this.#fetched) await cache.keep(digest, bytes);
    if (meaning && (await cache.lastDigest(this.name)) !== meaning) {
      await cache.rememberDigest(this.name, meaning);
    }
  }
}
