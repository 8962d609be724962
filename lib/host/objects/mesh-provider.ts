import type { LongCall } from '../../base';
import { encodeFrame, type Mesh, type MeshHost } from '../../mesh';
import type { FoundBlob, NameRecord, Provider } from '../../store';
import { unframe } from './block-frames';

/** What hosts ask each other about objects: names of calls and of streams, and what goes with them. */
export interface StoreCalls {
  'store.have': { cids: string[] };
  'store.find-blob': { digest: string };
  'store.read-name': { site: string; name: string };
  'store.put-name': { record: NameRecord };
}

export interface StoreStreams {
  /** The object's blocks, framed. */
  'store.blocks': { cid: string; firstLeaf: number };
  /** Framed blocks one way; one empty frame the other way once they are kept. */
  'store.copy': { cid: string };
}

/** A host of the fog, as the store sees it. */
export class MeshProvider implements Provider {
  readonly site: string;
  readonly id: string;
  readonly name: string;
  readonly rttMs: number;

  constructor(
    private readonly mesh: Mesh,
    { site, peerId, name, rttMs }: MeshHost,
  ) {
    this.site = site;
    this.id = peerId;
    this.name = name;
    // Not measured yet: behind all that were.
    this.rttMs = rttMs ?? Number.MAX_SAFE_INTEGER;
  }

  have(cids: string[], options: LongCall): Promise<boolean[]> {
    return this.#call('store.have', { cids }, options);
  }

  async findBlob(digest: string, options: LongCall): Promise<FoundBlob | undefined> {
    return (await this.#call<FoundBlob | null>('store.find-blob', { digest }, options)) ?? undefined;
  }

  readName(site: string, name: string, options: LongCall): Promise<NameRecord[]> {
    return this.#call('store.read-name', { site, name }, options);
  }

  putName(record: NameRecord, options: LongCall): Promise<void> {
    return this.#call('store.put-name', { record }, options);
  }

  async *readBlocks(cid: string, firstLeaf: number, options: LongCall): AsyncIterable<Uint8Array> {
    const stream = await this.#open('store.blocks', { cid, firstLeaf }, options);
    yield* unframe(stream.read());
  }

  async put(cid: string, blocks: AsyncIterable<Uint8Array>, options: LongCall): Promise<void> {
    const stream = await this.#open('store.copy', { cid }, options);
    let kept = false;
    const answer = (async () => {
      for await (const _answer of unframe(stream.read())) kept = true;
      if (!kept) throw new Error(`${this.name} did not keep ${cid}`);
    })();
    answer.catch(() => {});
    try {
      // The other host may answer before it has all: the object has come to its site meanwhile.
      for await (const block of blocks) {
        await Promise.race([stream.write(encodeFrame(block)), answer]);
        if (kept) return;
      }
      await stream.end();
      await answer;
    } finally {
      if (!kept) stream.abort();
    }
  }

  #call<T, N extends keyof StoreCalls = keyof StoreCalls>(
    name: N,
    argument: StoreCalls[N],
    { signal }: LongCall,
  ): Promise<T> {
    return this.mesh.call<T>(this.id, name, argument, { signal });
  }

  #open<N extends keyof StoreStreams>(name: N, header: StoreStreams[N], { signal }: LongCall) {
    return this.mesh.openStream(this.id, name, header, { signal });
  }
}
