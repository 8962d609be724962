import { AbortedError, type LongCall } from '../../base';
import type { BlobSource, DocumentCache } from '../../image';
import type { Mesh } from '../../mesh';
import type {
  ObjectOrigin,
  ObjectStore,
  ObjectStoreOptions,
  PeerBlobs,
  PutOptions,
  PutResult,
  SiteBlobs,
} from '../../store';
import type { HostFog } from '../fog';
import type { PeerGate } from '../peers';
import { ObjectOverLimitError } from './errors';
import { ImageDocuments } from './image-documents';
import { loadStore } from './load-store';
import { MeshSites } from './mesh-sites';
import { serveStore } from './serve';
import { type FileAccess, readBytes, writeBytes } from './transfer';

export interface HostObjectsOptions
  extends Pick<ObjectStoreOptions, 'dataDirectory' | 'nas' | 'site' | 'writer' | 'quota'> {
  fog: HostFog;
  peers: PeerGate;
  /** Whether this process stays: it then serves the other sites and sends them what they are to have. */
  stays: boolean;
}

export interface PutFileOptions extends PutOptions {
  /** A name that is to mean the object from now on: `fog:<site>/<name>`, or only the name at this site. */
  name?: string | undefined;
  /** Keep it from being evicted here. */
  pin?: boolean | undefined;
}

/** The document of `garua put --json`. */
export interface PutFileResult extends PutResult {
  /** The whole name, if one was given. */
  name?: string;
}

export interface GetOptions extends LongCall {
  /** Bytes that the object may have, for those who keep it in memory. Default: no limit. */
  limit?: number | undefined;
}

/** The document of `garua get --json`. */
export interface GetResult {
  cid: string;
  size: number;
  source: ObjectOrigin;
  /** Calls to other hosts that it took; 0 for an object that was on the site's NAS. */
  networkCalls: number;
  seconds: number;
}

/** The store of this host over its mesh, opened at its first use, with files and FIFOs in place of streams. */
export class HostObjects {
  readonly #options: HostObjectsOptions;
  readonly #sites: MeshSites;
  readonly #closing = new AbortController();
  #store: Promise<ObjectStore> | undefined;
  #peers: Promise<PeerBlobs> | undefined;

  constructor(options: HostObjectsOptions) {
    this.#options = options;
    const { fog, peers, site } = options;
    this.#sites = new MeshSites(fog, site);
    fog.whenOpen((mesh) => {
      serveStore(mesh, peers, this);
      if (options.stays) void this.#follow(mesh);
    });
  }

  store(): Promise<ObjectStore> {
    if (this.#closing.signal.aborted) return Promise.reject(new AbortedError('a call on a closed host'));
    this.#store ??= this.#open().catch((error) => {
      this.#store = undefined;
      throw error;
    });
    return this.#store;
  }

  /** The site's NAS as a cache of image blobs. */
  async blobs(): Promise<SiteBlobs> {
    const { SiteBlobs: Blobs } = await loadStore();
    return new Blobs(() => this.store());
  }

  /** Manifests and configurations of images that are near: on the site's NAS, if there is one, and with the peers. */
  imageDocuments(blobs: SiteBlobs | undefined): DocumentCache {
    return new ImageDocuments(blobs, () => this.#peerBlobs());
  }

  /** The other sites as places that blobs of images come from. A host without a fog asks nobody. */
  peerBlobs(): BlobSource {
    return {
      origin: 'peer:unknown',
      openBlob: async (descriptor, offset, signal) =>
        (await this.#peerBlobs())?.openBlob(descriptor, offset, signal),
    };
  }

  async put(file: string, options: PutFileOptions & FileAccess): Promise<PutFileResult> {
    const store = await this.store();
    const name = options.name === undefined ? undefined : store.fullName(options.name);
    const result = await store.put(readBytes(file, { ...options, reuse: true }), options);
    if (options.pin) await store.pin(result.cid, options);
    if (name === undefined) return result;
    await store.putName(name, result.cid, options);
    return { ...result, name };
  }

  async get(object: string, file: string | null, options: GetOptions & FileAccess): Promise<GetResult> {
    const started = performance.now();
    const found = await (await this.store()).get(object, options);
    const { limit = Number.POSITIVE_INFINITY } = options;
    if (found.size > limit) {
      await found.close();
      throw new ObjectOverLimitError(found.cid, found.size, limit);
    }
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

  /** One for all pulls: it remembers who failed. */
  async #peerBlobs(): Promise<PeerBlobs | undefined> {
    if (!this.#options.fog.isMember) return undefined;
    this.#peers ??= loadStore().then(({ PeerBlobs: Blobs }) => new Blobs(this.#sites));
    return this.#peers;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }

  async #open(): Promise<ObjectStore> {
    const { ObjectStore: Store } = await loadStore();
    const { fog: _fog, peers: _peers, ...options } = this.#options;
    return Store.open({ ...options, sites: this.#sites, locator: this.#sites, signer: this.#sites });
  }

  /** Works off what waits for a site when it comes back, and tells the first host that comes what is here. */
  async #follow(mesh: Mesh): Promise<void> {
    const { signal } = this.#closing;
    let told = false;
    const meet = async (site: string) => {
      const store = await this.store();
      if (site !== this.#options.site) store.siteConnected(site);
      if (told) return;
      told = true;
      void store.announceAgain(signal).catch(() => {});
    };
    // Watching begins when the first event is asked for; who comes up from then on is not missed.
    const events = mesh.watch({ signal })[Symbol.asyncIterator]();
    const first = events.next();
    // What waits is tried from now on, also while nobody comes. A store that cannot be opened says so to its users.
    await this.store().catch(() => {});
    for (const { self, state, site } of mesh.hosts()) {
      if (!self && state === 'up') await meet(site).catch(() => {});
    }
    for (let next = await first; !next.done; next = await events.next()) {
      const { type, host } = next.value;
      if (type === 'up' && !host.self) await meet(host.site).catch(() => {});
    }
  }
}
