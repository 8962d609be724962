import { join } from 'node:path';
import { type Database, Journal, type LongCall, throwIfAborted } from '../base';
import { Disk } from './disk/disk';
import { ObjectCorruptError, ObjectNotFoundError } from './errors';
import { Evictor } from './evict/evictor';
import { Fetch, type FetchOptions } from './fetch/fetch';
import { ask, nearestFirst } from './fetch/providers';
import { ObjectIndex, openIndex } from './index/object-index';
import { Tasks } from './index/tasks';
import { Names } from './names/names';
import { formatName, isName, parseName } from './names/record';
import { Nas, type OpenObject } from './nas/nas';
import { type Followed, ObjectStream } from './object-stream';
import { DEFAULT_LIMITS, type StoreLimits, type StoreParts } from './parts';
import { bytesPassed } from './passing-memory';
import { writeObject } from './put';
import { announceAgain } from './replicate/announce-again';
import { Repair } from './replicate/repair';
import { parseReplication } from './replicate/replication';
import { scrub } from './scrub';
import type {
  GarbageResult,
  Locator,
  NameRecord,
  ObjectSource,
  PutOptions,
  PutResult,
  Quota,
  ScrubOptions,
  ScrubResult,
  Signer,
  Sites,
  Store,
  StoredObject,
  StoreService,
  Whereabouts,
} from './store';
import { canonicalCid } from './tree/cid';

export interface ObjectStoreOptions {
  /** Holds the index and, unless `nas` says otherwise, the objects. */
  dataDirectory: string;
  /** The folder that all hosts of the site share. Default: one of this host's own, for a site of one host. */
  nas?: string | undefined;
  site: string;
  /** Names this host: whose quota its objects count against. */
  writer: string;
  sites?: Sites | undefined;
  locator?: Locator | undefined;
  /** Without one there are no names. */
  signer?: Signer | undefined;
  quota?: Quota | undefined;
  /**
   * Whether this process stays, and so tells and sends other sites what they are to have while nobody waits for it,
   * and deletes what was evicted. Default true; what a process that ends soon leaves to do, one that stays does.
   */
  stays?: boolean | undefined;
  limits?: Partial<StoreLimits> | undefined;
}

const LEAST_SWEEP_MS = 10_000;

/** The store of one host. See `Store` for what it promises and `StoreService` for what it serves to others. */
export class ObjectStore implements Store, StoreService {
  readonly #parts: StoreParts;
  readonly #database: Database;
  readonly #fetches = new Map<string, Fetch>();
  readonly #evictor: Evictor;
  readonly #repair: Repair;
  readonly #names: Names;
  #background: Promise<unknown>;
  #sweeping: NodeJS.Timeout | undefined;

  private constructor(parts: StoreParts, database: Database, options: ObjectStoreOptions, rebuild: boolean) {
    this.#parts = parts;
    this.#database = database;
    this.#evictor = new Evictor(parts);
    this.#repair = new Repair(parts, (cid, call) => this.readBlocks(cid, 0, call));
    this.#names = new Names(parts, options.signer);
    // The NAS may be away or slow: the store is open all the same, and says so when it is used.
    this.#background = this.#recover(rebuild).catch(() => {});
    if (!(options.stays ?? true)) return;
    this.#repair.start();
    const often = Math.max(parts.limits.evictionGraceMs, LEAST_SWEEP_MS);
    this.#sweeping = setInterval(() => this.#sweep(), often);
    this.#sweeping.unref();
  }

  /** Opens the store; the NAS need not be there yet. A damaged index is replaced by one read from the NAS. */
  static async open(options: ObjectStoreOptions): Promise<ObjectStore> {
    const { dataDirectory, site, writer, sites, locator } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { database, rebuilt } = openIndex(join(dataDirectory, 'store.db'));
    const spoolFolder = join(dataDirectory, 'store-spool');
    const parts: StoreParts = {
      nas: new Nas({
        folder: options.nas ?? join(dataDirectory, 'nas'),
        memory: join(dataDirectory, 'nas.json'),
        mayCreateFolder: options.nas === undefined,
        limitMs: limits.nasMs,
      }),
      spool: { disk: new Disk(spoolFolder, limits.nasMs), folder: spoolFolder },
      index: new ObjectIndex(database),
      tasks: new Tasks(database),
      journal: new Journal(database),
      sites,
      locator,
      site,
      writer,
      quota: options.quota ?? {},
      limits,
    };
    return new ObjectStore(parts, database, options, rebuilt);
  }

  async put(source: ObjectSource, options: PutOptions = {}): Promise<PutResult> {
    const started = performance.now();
    const replication = parseReplication(options.replicate ?? 'local');
    const { tasks } = this.#parts;
    const makeRoom = (size: number, writer: string) => this.#evictor.makeRoom(size, writer);
    const { cid, size } = await writeObject(this.#parts, source, options, makeRoom);
    this.#published(cid, size, options.writer);
    if (replication !== 'local') tasks.setPolicy(cid, replication);
    const chosen = await this.#repair.choose(cid, replication);
    for (const site of chosen) tasks.add('replicate', cid, site);
    const sent = await Promise.all(
      chosen.map((site) => this.#repair.run({ kind: 'replicate', cid, site, attempts: 0 }, options.signal)),
    );
    return {
      cid,
      size,
      seconds: (performance.now() - started) / 1000,
      replicas: chosen.filter((_site, index) => sent[index]),
      pending: chosen.filter((_site, index) => !sent[index]),
    };
  }

  async get(object: string, options: LongCall = {}): Promise<StoredObject> {
    const cid = await this.#resolve(object, options);
    throwIfAborted(options.signal, `the get of ${cid}`);
    const { local, trouble } = await this.#openLocal(cid);
    const stream = {
      cid,
      call: options,
      quarantine: () => this.#quarantine(cid),
      follow: () => this.#follow(cid),
    };
    if (local) return new ObjectStream({ ...stream, size: local.footer.size, local, followed: undefined });
    const followed = this.#follow(cid);
    try {
      const size = await followed.fetch.sized(options.signal);
      return new ObjectStream({ ...stream, size, local: undefined, followed });
    } catch (error) {
      await followed.leave();
      throw trouble && error instanceof ObjectNotFoundError ? trouble : error;
    }
  }

  async where(object: string, options: LongCall = {}): Promise<Whereabouts> {
    const cid = await this.#resolve(object, options);
    const { site, sites } = this.#parts;
    const providers = await nearestFirst(sites);
    const counter = { calls: 0 };
    const answers = await Promise.all(
      providers.map((provider) => ask(this.#parts, provider, cid, options.signal, counter)),
    );
    throwIfAborted(options.signal, `the search for ${cid}`);
    const found = new Set<string>();
    const silent = new Set<string>(sites?.names());
    const here = await this.#parts.nas.has(cid).catch(() => undefined);
    if (here) found.add(site);
    silent.delete(site);
    if (here === undefined) silent.add(site);
    for (const [index, provider] of providers.entries()) {
      if (answers[index]) found.add(provider.site);
      // Hosts of a site share its NAS: one answer speaks for all.
      if (answers[index] !== undefined) silent.delete(provider.site);
    }
    return { cid, sites: [...found].sort(), complete: silent.size === 0 };
  }

  async pin(object: string, options: LongCall = {}): Promise<void> {
    const cid = await this.#resolve(object, options);
    const { nas } = this.#parts;
    // First the pin, then the look at the object: see Evictor.
    await nas.writeSmall(nas.paths.pin(cid), '');
    try {
      await this.#ensure(cid, options);
    } catch (error) {
      await nas.disk.run('removeDurably', nas.paths.pin(cid)).catch(() => {});
      throw error;
    }
  }

  async unpin(object: string): Promise<void> {
    const cid = await this.#resolve(object, {});
    const { nas } = this.#parts;
    await nas.ready();
    await nas.disk.run('removeDurably', nas.paths.pin(cid));
  }

  async scrub(options: ScrubOptions = {}): Promise<ScrubResult> {
    await this.#evictor.scan(options.signal);
    return scrub(this.#parts, options, (cid) =>
      this.#ensure(cid, options).then(
        () => true,
        () => false,
      ),
    );
  }

  async gc(options: LongCall = {}): Promise<GarbageResult> {
    const { evicted } = await this.#evictor.collect(options.signal);
    const bytesFreed = await this.#evictor.sweep();
    return { evicted: evicted.map(({ cid }) => cid), bytesFreed, ...this.#parts.index.usage() };
  }

  /** `fog:<site>/<name>` of a name that may be only the last part, of this site. @throws {InvalidArgumentError} */
  fullName(text: string): string {
    return formatName(parseName(isName(text) ? text : formatName({ site: this.#parts.site, name: text })));
  }

  async putName(name: string, cid: string, options: LongCall = {}): Promise<NameRecord> {
    return this.#names.put(name, canonicalCid(cid), options.signal);
  }

  async getName(name: string, options: LongCall = {}): Promise<NameRecord> {
    return this.#names.get(name, options.signal);
  }

  async have(cids: string[]): Promise<boolean[]> {
    return Promise.all(cids.map((cid) => this.#parts.nas.has(canonicalCid(cid))));
  }

  async *readBlocks(object: string, firstLeaf: number, options: LongCall = {}): AsyncIterable<Uint8Array> {
    const cid = canonicalCid(object);
    const { local, trouble } = await this.#openLocal(cid);
    if (!local) throw trouble ?? new ObjectNotFoundError(cid);
    let ahead: Promise<Uint8Array[]> | undefined;
    try {
      for (;;) {
        const blocks = await (ahead ?? local.blocks(firstLeaf));
        if (blocks.length === 0) return;
        ahead = local.blocks(firstLeaf);
        ahead.catch(() => {});
        for (const block of blocks) {
          throwIfAborted(options.signal, `the reading of ${cid}`);
          bytesPassed(block.length);
          yield block;
        }
      }
    } catch (error) {
      if (error instanceof ObjectCorruptError) await this.#quarantine(cid);
      throw error;
    } finally {
      await ahead?.catch(() => {});
      await local.close();
    }
  }

  async accept(object: string, blocks: AsyncIterable<Uint8Array>, options: LongCall = {}): Promise<void> {
    const cid = canonicalCid(object);
    if (await this.#parts.nas.has(cid)) return;
    const sender = { site: 'the sender', id: 'the sender', name: 'the sender', readBlocks: () => blocks };
    const from = (async function* () {
      yield sender as never;
    })();
    const { fetch, leave } = this.#follow(cid, { from, fresh: true });
    try {
      await fetch.keptHere(options.signal);
    } finally {
      await leave();
    }
  }

  readName(site: string, name: string): Promise<NameRecord[]> {
    return this.#names.read(site, name);
  }

  acceptName(record: NameRecord): Promise<void> {
    return this.#names.write(record);
  }

  /** A site has come back: what waits for it is sent now. */
  siteConnected(site: string): void {
    this.#parts.tasks.hurry(site);
    this.#repair.wake();
  }

  /** What other modules of this host need of the NAS; see `images/blobs.ts`. */
  get parts(): StoreParts {
    return this.#parts;
  }

  /** Tells the fog once more what is here: whom it was told before a restart may have forgotten. */
  announceAgain(signal: AbortSignal): Promise<void> {
    return announceAgain(this.#parts, signal);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.#repair.close();
    for (const fetch of this.#fetches.values()) await fetch.finished.catch(() => {});
    await this.#background;
    await this.#parts.nas.close();
    await this.#parts.spool.disk.close();
    this.#database.close();
  }

  /** Removes what a crash left half written, tells the fog what it had not heard, and reads the NAS. */
  async #recover(rebuild: boolean): Promise<void> {
    const { nas, journal } = this.#parts;
    const left = journal.unfinished<{ path: string }>('store-put');
    if (left.length > 0 || rebuild) await nas.ready();
    for (const entry of left) {
      await nas.disk.run('remove', entry.data.path);
      journal.end(entry.id);
    }
    if (rebuild) await this.#evictor.scan();
  }

  async #resolve(object: string, { signal }: LongCall): Promise<string> {
    return isName(object) ? (await this.#names.get(object, signal)).cid : canonicalCid(object);
  }

  /** The object on the NAS; what is wrong there is no reason not to ask others. */
  async #openLocal(cid: string): Promise<{ local?: OpenObject | undefined; trouble?: unknown }> {
    try {
      return { local: await this.#parts.nas.open(cid) };
    } catch (trouble) {
      if (trouble instanceof ObjectCorruptError) await this.#quarantine(cid);
      return { trouble };
    }
  }

  async #quarantine(cid: string): Promise<void> {
    this.#parts.index.remove(cid);
    // A NAS that cannot even do that has said so before.
    await this.#parts.nas.quarantine(cid).catch(() => {});
  }

  /** Makes the object be here, whole as far as its list of hashes says. */
  async #ensure(cid: string, options: LongCall): Promise<void> {
    const { local, trouble } = await this.#openLocal(cid);
    if (local) return local.close();
    if (trouble && !(trouble instanceof ObjectCorruptError)) throw trouble;
    const { fetch, leave } = this.#follow(cid);
    try {
      await fetch.keptHere(options.signal);
    } finally {
      await leave();
    }
  }

  #follow(cid: string, own: Pick<FetchOptions, 'from' | 'fresh'> = {}): Followed {
    let fetch = this.#fetches.get(cid);
    if (!fetch || fetch.abandoned) {
      const started = new Fetch(this.#parts, cid, {
        ...own,
        after: fetch?.released,
        beforePublish: (size) => this.#evictor.makeRoom(size, this.#parts.writer),
        afterPublish: (_cid, size) => this.#published(cid, size),
      });
      const forget = () => {
        if (this.#fetches.get(cid) === started) this.#fetches.delete(cid);
      };
      this.#fetches.set(cid, started);
      started.released.then(forget, forget);
      fetch = started;
    }
    return { fetch, leave: fetch.follow() };
  }

  /** The object is durable: from here on all the rest may fail and be done later. */
  #published(cid: string, size: number, writer = this.#parts.writer): void {
    const { index, tasks, locator, nas } = this.#parts;
    index.put({ cid, size, lastUse: nas.now, writer });
    if (!locator) return;
    tasks.add('announce', cid);
    this.#repair.wakeSoon();
  }

  /** Nobody waits for it, and the next one makes up for one that fails. */
  #sweep(): void {
    this.#background = this.#background.then(() => this.#evictor.sweep()).catch(() => {});
  }
}
