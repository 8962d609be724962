import { AbortedError, throwIfAborted } from '../../base';
import {
  BlockInvalidError,
  BlockMismatchError,
  FetchFailedError,
  NasFailedError,
  ObjectNotFoundError,
  ProviderStalledError,
} from '../errors';
import type { StoreParts } from '../parts';
import { bytesPassed } from '../passing-memory';
import type { ObjectOrigin, Provider } from '../store';
import { blockCount, CHUNK_BYTES } from '../tree/layout';
import { limited, unlessAborted } from './patience';
import { type CallCounter, providersOf } from './providers';
import { openSpool, type Spool } from './spool';

/** Blocks that wait for the disk thread. */
const BLOCKS_AHEAD = 3;

export interface FetchOptions {
  /** In place of those that are found. */
  from?: AsyncIterable<Provider> | undefined;
  /** Start from the first block, whatever an earlier fetch has left. */
  fresh?: boolean | undefined;
  /** Settles when an earlier fetch of the object has let go of its file. */
  after?: Promise<unknown> | undefined;
  /** Called once the object is sealed, before it gets its final name. */
  beforePublish(size: number): Promise<void>;
  afterPublish(cid: string, size: number): void;
}

/**
 * Brings one object here from other sites. What has arrived and was checked lies in a file, from which any
 * number of followers read at their own pace. Goes on with the next provider where the last one failed, and
 * with the file of an earlier fetch that did not come to its end.
 */
export class Fetch {
  readonly counter: CallCounter = { calls: 0 };
  /** Settles when the object is here, or will not come. */
  readonly finished: Promise<void>;
  /** Settles when its file is let go of as well. */
  readonly released: Promise<void>;
  #release!: () => void;
  origin: ObjectOrigin | undefined;
  size: number | undefined;
  kept = false;
  #leaves = 0;
  #spool: Spool | undefined;
  #followers = 0;
  #over = false;
  #failure: unknown;
  #ownTrouble: unknown;
  #changed: (() => void)[] = [];
  readonly #abort = new AbortController();

  constructor(
    private readonly parts: StoreParts,
    private readonly cid: string,
    private readonly options: FetchOptions,
  ) {
    this.finished = (options.after ?? Promise.resolve()).then(() => this.#run());
    this.finished.catch(() => {});
    this.released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  /** Nobody wants it any more: a new one has to be made. */
  get abandoned(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Resolves when the object is kept here. @throws what kept it from that */
  async keptHere(signal?: AbortSignal): Promise<void> {
    await this.#until(() => this.#over, signal);
    if (!this.kept) throw this.#failure ?? new NasFailedError(this.parts.nas.disk.folder, 'it was not there');
  }

  /** Keeps the fetch going until the returned function is called. */
  follow(): () => Promise<void> {
    this.#followers += 1;
    let left = false;
    return async () => {
      if (left) return;
      left = true;
      this.#followers -= 1;
      if (this.#followers > 0) return;
      this.#abort.abort();
      await this.finished.catch(() => {});
      await this.#closeSpool();
      this.#release();
    };
  }

  /** Resolves when the object's size is known. */
  async sized(signal?: AbortSignal): Promise<number> {
    await this.#until(() => this.size !== undefined, signal);
    return this.size!;
  }

  /** The next checked bytes from a leaf on, at most `count` leaves. */
  async read(leaf: number, count: number, signal?: AbortSignal): Promise<Uint8Array> {
    await this.#until(() => this.#leaves > leaf, signal);
    const last = Math.min(this.#leaves, leaf + count);
    const from = leaf * CHUNK_BYTES;
    const length = Math.min(this.size!, last * CHUNK_BYTES) - from;
    return this.#spool!.incoming.handle.run('readWritten', [from, length]);
  }

  async #until(reached: () => boolean, signal?: AbortSignal): Promise<void> {
    while (!reached()) {
      if (this.#over) throw this.#failure ?? new ObjectNotFoundError(this.cid);
      throwIfAborted(signal, `the get of ${this.cid}`);
      const change = new Promise<void>((resolve) => this.#changed.push(resolve));
      await (signal ? unlessAborted(change, signal, `the get of ${this.cid}`) : change);
    }
  }

  #tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const reasons: string[] = [];
    try {
      const providers = this.options.from ?? providersOf(this.parts, this.cid, signal, this.counter);
      for await (const provider of providers) {
        throwIfAborted(signal, `the get of ${this.cid}`);
        const failure = await this.#tryProvider(provider);
        if (failure === undefined) return await this.#publish();
        reasons.push(`${provider.name} of ${provider.site}: ${(failure as Error).message}`);
      }
      throwIfAborted(signal, `the get of ${this.cid}`);
      throw reasons.length > 0 ? new FetchFailedError(this.cid, reasons) : new ObjectNotFoundError(this.cid);
    } catch (error) {
      this.#failure = error;
      throw error;
    } finally {
      this.#over = true;
      this.#tell();
    }
  }

  /** Answers why it failed, when another provider may do better. */
  async #tryProvider(provider: Provider): Promise<unknown> {
    for (let attempt = 0; ; attempt += 1) {
      const spool = await this.#openSpool();
      const first = Math.max(this.#leaves, spool.incoming.resumed);
      try {
        await this.#receive(provider, spool, first);
        this.origin = `site:${provider.site}`;
        return undefined;
      } catch (error) {
        if (this.#abort.signal.aborted) throw new AbortedError(`the get of ${this.cid}`);
        if (error === this.#ownTrouble) throw error;
        // What an earlier fetch had left is not of this object after all: from the start, once.
        const wrongStart = error instanceof BlockMismatchError && error.leaf < first && this.#leaves === 0;
        if (!wrongStart || attempt > 0) return error;
        await this.#dropSpool();
      }
    }
  }

  async #receive(provider: Provider, spool: Spool, first: number): Promise<void> {
    await spool.incoming.handle.run('expectBlocks', [this.cid]);
    const over = new AbortController();
    const signal = AbortSignal.any([this.#abort.signal, over.signal]);
    this.counter.calls += 1;
    const blocks = provider.readBlocks(this.cid, first, { signal })[Symbol.asyncIterator]();
    const writing: Promise<void>[] = [];
    try {
      // The root says how many blocks there are; no more is read, whatever else the provider would send.
      for (let left = 1, asked = false; left > 0; left -= 1) {
        const block = await this.#nextBlock(provider, blocks, signal);
        if (!block) throw new BlockInvalidError('the transfer ended before the object did');
        writing.push(caught(this.#take(spool, block, first, provider)));
        if (!asked || writing.length >= BLOCKS_AHEAD) await writing.shift();
        if (!asked) left = blockCount(this.size!, first);
        asked = true;
      }
      await Promise.all(writing);
    } finally {
      over.abort();
      void blocks.return?.()?.catch(() => {});
      await Promise.allSettled(writing);
    }
  }

  async #nextBlock(
    provider: Provider,
    blocks: AsyncIterator<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const { blockMs } = this.parts.limits;
    const limit = limited(signal, blockMs);
    try {
      const next = await unlessAborted(blocks.next(), limit.signal, 'the transfer');
      return next.done ? undefined : next.value;
    } catch (error) {
      throw limit.timedOut() ? new ProviderStalledError(provider.site, blockMs) : error;
    } finally {
      limit.end();
    }
  }

  async #take(spool: Spool, block: Uint8Array, first: number, provider: Provider): Promise<void> {
    const { leaves, size } = await spool.incoming.handle.run('takeBlock', [block]).catch((error) => {
      // Not the provider's, which may have the same trouble with its own disk.
      if (isOwnTrouble(error)) this.#ownTrouble = error;
      throw error;
    });
    this.size = size;
    bytesPassed(block.length);
    this.origin ??= `site:${provider.site}`;
    // Only with a new leaf is it sure that those from an earlier fetch belong to this object.
    if (leaves > first) this.#leaves = leaves;
    this.#tell();
  }

  async #openSpool(): Promise<Spool> {
    this.#spool ??= await openSpool(this.parts, this.cid, this.options.fresh === true);
    return this.#spool;
  }

  async #publish(): Promise<void> {
    const spool = this.#spool!;
    this.#tell();
    if (spool.journal === undefined) return;
    const { nas, journal, writer } = this.parts;
    try {
      const { cid } = await spool.incoming.handle.run('seal', [writer, nas.now]);
      if (cid !== this.cid) throw new BlockInvalidError(`all of them together are ${cid}`);
      await this.options.beforePublish(this.size!);
      await nas.publish(spool.incoming.path, this.cid);
      this.kept = true;
      this.options.afterPublish(this.cid, this.size!);
    } catch (error) {
      // All bytes are here and checked: those who wait get them, whatever the NAS says.
      await nas.disk.run('remove', spool.incoming.path).catch(() => {});
      if (this.#followers === 0) throw error;
      this.#failure = error;
    }
    journal.end(spool.journal);
  }

  async #dropSpool(): Promise<void> {
    const spool = this.#spool;
    if (!spool) return;
    await this.#closeSpool();
    if (spool.journal === undefined) return;
    await this.parts.nas.disk.run('remove', spool.incoming.path).catch(() => {});
    this.parts.journal.end(spool.journal);
  }

  async #closeSpool(): Promise<void> {
    const spool = this.#spool;
    this.#spool = undefined;
    await spool?.incoming.close();
  }
}

/** Failures of this site's disk, which no other provider mends. */
function isOwnTrouble(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'ERR_DISK_FULL' || /^ERR_STORE_(NAS|THREAD)_/.test(code ?? '');
}

/** Marks a rejection as handled; it is looked at in its turn. */
function caught<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}
