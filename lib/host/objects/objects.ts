import type { LongCall } from '../../base';
import type {
  ObjectOrigin,
  ObjectStore,
  ObjectStoreOptions,
  PutOptions,
  PutResult,
  SiteBlobs,
} from '../../store';
import { type FileAccess, readBytes, writeBytes } from './transfer';

/** The document of `garua get --json`. */
export interface GetResult {
  cid: string;
  size: number;
  source: ObjectOrigin;
  /** Calls to other hosts that it took; 0 for an object that was on the site's NAS. */
  networkCalls: number;
  seconds: number;
}

/** The store of this host, opened at its first use, with files and FIFOs in place of streams. */
export class HostObjects {
  #store: Promise<ObjectStore> | undefined;

  constructor(private readonly options: ObjectStoreOptions) {}

  store(): Promise<ObjectStore> {
    this.#store ??= this.#open().catch((error) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  /** The site's NAS as a cache of image blobs. */
  async blobs(): Promise<SiteBlobs> {
    const { SiteBlobs: Blobs } = await import('../../store/index.js');
    return new Blobs(() => this.store());
  }

  /** Loaded only where objects are used: most commands need none. */
  async #open(): Promise<ObjectStore> {
    const { ObjectStore: Store } = await import('../../store/index.js');
    return Store.open(this.options);
  }

  async put(file: string, options: PutOptions & FileAccess): Promise<PutResult> {
    const store = await this.store();
    return store.put(readBytes(file, options), options);
  }

  async get(object: string, file: string | null, options: LongCall & FileAccess): Promise<GetResult> {
    const started = performance.now();
    const found = await (await this.store()).get(object, options);
    if (file === null) for await (const _bytes of found);
    else {
      try {
        await writeBytes(file, found, options);
      } finally {
        await found.close();
      }
    }
    const { cid, size, source, networkCalls } = found;
    return { cid, size, source, networkCalls, seconds: (performance.now() - started) / 1000 };
  }

  async close(): Promise<void> {
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }
}
