import type { LongCall } from '../base';

/**
 * Objects of a fog. An object is immutable bytes under a CID, the one that IPFS gives a file (UnixFS, dag-pb,
 * chunks of 262,144 bytes, balanced with 174 links; CIDv1 in base32). Each site keeps objects on its NAS,
 * which all its hosts share; between sites they travel block by block, each checked when it comes.
 *
 * What is promised:
 * - `put` resolves once the object is on the NAS's disk. Nothing else is ever seen under a final name.
 * - `get` looks at the NAS first; on a hit there is no network call. Every byte handed out was checked.
 * - A copy that came from another site is kept here, unless the NAS is in trouble.
 * - Only unpinned objects that another site has as well are ever evicted; when no site answers, none is.
 * - Names (`fog:<site>/<name>`) are signed by their writer; the last writer wins, by time and then by writer.
 */
export interface Store {
  /** @throws {DiskFullError} {NasMissingError} {NasHungError} {NasReadOnlyError} {QuotaExceededError} ... */
  put(source: ObjectSource, options?: PutOptions): Promise<PutResult>;
  /**
   * An object by its CID or its name. Resolves when its size is known; its bytes come by iterating.
   *
   * @throws {ObjectNotFoundError} {FetchFailedError} {NameNotFoundError} {AbortedError}
   */
  get(object: string, options?: LongCall): Promise<StoredObject>;
  where(object: string, options?: LongCall): Promise<Whereabouts>;
  /** Keeps an object from being evicted; fetches it when it is not here. */
  pin(object: string, options?: LongCall): Promise<void>;
  unpin(object: string): Promise<void>;
  /** Reads everything that is here and puts aside what is damaged, then fetches it again. */
  scrub(options?: ScrubOptions): Promise<ScrubResult>;
  /** Removes leftovers, and evicts until the site is within its quota. */
  gc(options?: LongCall): Promise<GarbageResult>;
  /** Makes `fog:<site>/<name>` mean an object. */
  putName(name: string, cid: string, options?: LongCall): Promise<NameRecord>;
  /** @throws {NameNotFoundError} */
  getName(name: string, options?: LongCall): Promise<NameRecord>;
  close(): Promise<void>;
}

/** What a host serves to the other sites of its fog. */
export interface StoreService {
  /** Whether this site has each of the objects, whole and not about to go. */
  have(cids: string[]): Promise<boolean[]>;
  /** The object's blocks in the order of `blockOrder`; each is under 256 KiB + 16 bytes. */
  readBlocks(cid: string, firstLeaf: number, options?: LongCall): AsyncIterable<Uint8Array>;
  /** Takes a copy, all blocks from the root on. */
  accept(cid: string, blocks: AsyncIterable<Uint8Array>, options?: LongCall): Promise<void>;
  readName(site: string, name: string): Promise<NameRecord[]>;
  acceptName(record: NameRecord): Promise<void>;
}

/** A blob of an image, as an object. */
export interface FoundBlob {
  cid: string;
  size: number;
}

/** A host of another site that is connected; the mesh has these. */
export interface Provider {
  readonly site: string;
  /** Names the host, and no other. */
  readonly id: string;
  /** What people call it. */
  readonly name: string;
  /** Smoothed round-trip time. */
  readonly rttMs: number;
  have(cids: string[], options: LongCall): Promise<boolean[]>;
  readBlocks(cid: string, firstLeaf: number, options: LongCall): AsyncIterable<Uint8Array>;
  put(cid: string, blocks: AsyncIterable<Uint8Array>, options: LongCall): Promise<void>;
  readName(site: string, name: string, options: LongCall): Promise<NameRecord[]>;
  putName(record: NameRecord, options: LongCall): Promise<void>;
  /** The object that holds a blob of an image, if its site has it. `digest` is the blob's, `sha256:...`. */
  findBlob(digest: string, options: LongCall): Promise<FoundBlob | undefined>;
}

/** The other sites. */
export interface Sites {
  /** Resolves when there is no use in waiting any longer for hosts to connect. */
  met(): Promise<void>;
  /** Hosts of other sites that are connected now, in any order. */
  connected(): Provider[];
  /** All other sites that are known, connected or not. */
  names(): string[];
}

/** Finds who has an object beyond the connected sites; a DHT is one. */
export interface Locator {
  /** Says to the fog that this site has it; `cid` may also be a raw CID of an image's blob. */
  provide(cid: string, options: LongCall): Promise<void>;
  findProviders(cid: string, options: LongCall): AsyncIterable<Provider>;
}

/** Signs name records with the host's key and checks those of others. */
export interface Signer {
  /** Names the key, such as a peer ID. */
  writer(): Promise<string>;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
  verify(writer: string, bytes: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** The store is done with each piece before it asks for the next. */
export type ObjectSource = Uint8Array | AsyncIterable<Uint8Array>;

/** `local`: this site; `near:N`: also the N nearest other sites; `all`: all that are known. */
export type Replication = 'local' | `near:${number}` | 'all';

export interface PutOptions extends LongCall {
  replicate?: Replication;
  /** Whose quota it counts against. Default: this host. */
  writer?: string;
}

export interface PutResult {
  cid: string;
  size: number;
  seconds: number;
  /** Sites that have a copy by now, and those that will get one as soon as they can be reached. */
  replicas: string[];
  pending: string[];
}

/** An object that can be read once, from its start. */
export interface StoredObject extends AsyncIterable<Uint8Array> {
  readonly cid: string;
  readonly size: number;
  /** Final after the last byte: a damaged local copy is continued from a site. */
  readonly source: ObjectOrigin;
  /** Calls to other hosts and to the locator made for this get. */
  readonly networkCalls: number;
  /** Frees what it holds, when it is not read to the end. */
  close(): Promise<void>;
}

export type ObjectOrigin = 'nas' | `site:${string}`;

export interface Whereabouts {
  cid: string;
  sites: string[];
  /** Whether every known site has answered. */
  complete: boolean;
}

export interface ScrubOptions extends LongCall {
  /** Default 20 MB/s, so that others get their turn. */
  bytesPerSecond?: number;
}

export interface ScrubResult {
  objects: number;
  bytes: number;
  /** CIDs of what was damaged; `repaired` of it was fetched again. */
  damaged: string[];
  repaired: string[];
  seconds: number;
}

export interface GarbageResult {
  /** CIDs of the objects evicted. */
  evicted: string[];
  bytesFreed: number;
  /** Bytes and number of the objects that stay. */
  objects: number;
  bytes: number;
}

export interface NameRecord {
  site: string;
  name: string;
  cid: string;
  /**
   * Milliseconds since 1970 by the writer's clock, and always after the record that it replaced. One that is far ahead
   * of the reader's clock is no record: else a wrong clock would hold a name for ever.
   */
  time: number;
  writer: string;
  /** Base64, over `signedBytes`. */
  signature: string;
}

/** In bytes; absent is unlimited. */
export interface Quota {
  site?: number | undefined;
  perWriter?: number | undefined;
}
