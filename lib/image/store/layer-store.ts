import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  currentBootId,
  type DataDirectory,
  exists,
  type Journal,
  syncFileSystem,
  syncFolder,
  toGaruaError,
} from '../../base';
import type { Digest, LayerMount } from '../image';
import type { WorkerPool } from '../pipeline/worker-pool';
import type { ImageIndex, LayerRecord } from './image-index';

const JOURNAL_KIND = 'image.layer';

/** What the journal keeps of a layer whose digests were verified but which has not got its name yet. */
interface CommitData {
  record: LayerRecord;
  /** Identifies the boot of the kernel: within one, verified data cannot have been lost. */
  boot: string;
}

/**
 * The layers on disk:
 *
 *     layers/<chainID>            a finished layer
 *     layers/<chainID>.json       its record, from which the index can be rebuilt
 *     layers/<chainID>.partial    being unpacked
 *     layers/.trash/              being deleted
 *     blobs/<digest>.partial      compressed bytes of a layer whose download has not ended
 */
export class LayerStore {
  readonly #folder: string;
  readonly #trash: string;
  readonly #blobs: string;
  #emptying: Promise<void> = Promise.resolve();

  constructor(
    directory: DataDirectory,
    private readonly index: ImageIndex,
    private readonly journal: Journal,
    private readonly pool: WorkerPool,
  ) {
    this.#folder = directory.join('layers');
    this.#trash = directory.join('layers', '.trash');
    this.#blobs = directory.join('blobs');
  }

  /** Finishes or rolls back what a previous process left, and makes the index say what is on disk. */
  async recover(): Promise<void> {
    for (const folder of [this.#folder, this.#trash, this.#blobs]) {
      // Closed to others: layers hold set-user-ID programs that nobody keeps up to date.
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
    await this.#finishCommits();
    const names = new Set(await readdir(this.#folder));
    for (const record of this.index.layers()) {
      if (!names.has(hex(record.chainId))) this.index.deleteLayer(record.chainId);
    }
    for (const name of names) await this.#adopt(name, names);
    for (const name of await readdir(this.#blobs)) {
      if (!/^[0-9a-f]{64}\.partial$/.test(name)) await this.#discardPath(join(this.#blobs, name));
    }
    this.#emptyTrash();
  }

  get(chainId: Digest): LayerRecord | undefined {
    return this.index.layer(chainId);
  }

  mount(chainId: Digest): LayerMount {
    return { type: 'overlay-lower', path: join(this.#folder, hex(chainId)) };
  }

  /** Where a layer is unpacked. Nothing is there once this has resolved. */
  async prepare(chainId: Digest): Promise<string> {
    const partial = this.#partial(chainId);
    // An entry that a full disk kept in the journal must not vouch for what is unpacked now.
    for (const { id, subject } of this.journal.unfinished(JOURNAL_KIND)) {
      if (subject === chainId) this.journal.end(id);
    }
    await this.#discardPath(partial);
    return partial;
  }

  /** Where layers below may be seen while an upper one is unpacked, uppermost first: one is not named yet. */
  lowerFolders(chainIds: Digest[]): string[] {
    return chainIds
      .toReversed()
      .flatMap((chainId) => [this.#partial(chainId), join(this.#folder, hex(chainId))]);
  }

  /** The file that keeps the compressed bytes of a layer while it is fetched. */
  blobFile(digest: Digest): string {
    return join(this.#blobs, `${hex(digest)}.partial`);
  }

  /** Gives an unpacked and verified layer its name, durably: once this resolves, a power cut cannot hurt it. */
  async commit(record: LayerRecord): Promise<void> {
    const data: CommitData = { record, boot: currentBootId() };
    const entry = this.journal.begin(JOURNAL_KIND, record.chainId, 'verified', data);
    const progress = { named: false };
    try {
      await this.#finish(record, progress);
    } catch (error) {
      const folder = join(this.#folder, hex(record.chainId));
      // It may have its name already, when the index could not take it. What another commit named stays.
      if (progress.named) await this.#discardPath(folder);
      if (!(await exists(folder))) await rm(this.#json(record.chainId), { force: true });
      throw error;
    } finally {
      this.#end(entry);
    }
  }

  /** Drops what was unpacked of a layer that failed. */
  async discard(chainId: Digest): Promise<void> {
    await this.#discardPath(this.#partial(chainId));
    this.#emptyTrash();
  }

  /** Removes the files of layers that the index has forgotten. Nobody may use them any more. */
  async remove(chainIds: Digest[]): Promise<void> {
    // In one go: a pull of the same layer that starts now must not meet half of the old one.
    for (const chainId of chainIds) {
      rmSync(this.#json(chainId), { force: true });
      try {
        renameSync(join(this.#folder, hex(chainId)), this.#trashName());
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    this.#emptyTrash();
    await this.#emptying;
  }

  /** Deletes kept compressed bytes, except those of `inUse`; answers how many bytes that freed. */
  async removeBlobs(inUse: ReadonlySet<string>): Promise<number> {
    let freed = 0;
    for (const name of await readdir(this.#blobs)) {
      const path = join(this.#blobs, name);
      if (inUse.has(path)) continue;
      freed += (await stat(path)).size;
      await rm(path, { force: true });
    }
    return freed;
  }

  /** Waits for deletions under way. */
  async settled(): Promise<void> {
    await this.#emptying;
  }

  async #finish(record: LayerRecord, progress = { named: false }): Promise<void> {
    const partial = this.#partial(record.chainId);
    await writeFile(this.#json(record.chainId), JSON.stringify(record), { mode: 0o644 });
    await syncFileSystem(partial);
    await rename(partial, join(this.#folder, hex(record.chainId)));
    progress.named = true;
    await syncFolder(this.#folder);
    this.index.putLayer(record);
  }

  async #finishCommits(): Promise<void> {
    const boot = currentBootId();
    for (const entry of this.journal.unfinished<CommitData>(JOURNAL_KIND)) {
      const { record } = entry.data;
      const complete = entry.data.boot === boot && (await exists(this.#partial(record.chainId)));
      // What cannot be finished now is adopted or discarded as all that has no record.
      if (complete) await this.#finish(record).catch(() => {});
      this.#end(entry.id);
    }
  }

  /** On a full disk the entry stays; `prepare` and the next start take it away. */
  #end(entry: number): void {
    try {
      this.journal.end(entry);
    } catch (error) {
      if (toGaruaError(error).code !== 'ERR_DISK_FULL') throw error;
    }
  }

  /** Decides what becomes of one name found in `layers/`. */
  async #adopt(name: string, names: ReadonlySet<string>): Promise<void> {
    const path = join(this.#folder, name);
    if (name === '.trash') return;
    const [, digits, suffix] = /^([0-9a-f]{64})(\.json)?$/.exec(name) ?? [];
    if (!digits) return this.#discardPath(path);
    if (suffix) {
      if (!names.has(digits)) await rm(path, { force: true });
      return;
    }
    if (this.index.layer(`sha256:${digits}`)) return;
    const record = await readRecord(`${path}.json`);
    if (record?.chainId === `sha256:${digits}`) this.index.putLayer(record);
    else await this.#discardPath(path);
  }

  async #discardPath(path: string): Promise<void> {
    try {
      await rename(path, this.#trashName());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Deletes in the background and in a worker: a layer may have many thousand files. */
  #emptyTrash(): void {
    const empty = async () => {
      const names = await readdir(this.#trash);
      const paths = names.map((name) => join(this.#trash, name));
      if (paths.length > 0) await this.pool.run({ kind: 'remove', paths });
    };
    // What cannot be deleted now is tried again next time.
    this.#emptying = this.#emptying.then(empty).catch(() => {});
  }

  #partial(chainId: Digest): string {
    return join(this.#folder, `${hex(chainId)}.partial`);
  }

  #trashName(): string {
    return join(this.#trash, randomBytes(8).toString('hex'));
  }

  #json(chainId: Digest): string {
    return join(this.#folder, `${hex(chainId)}.json`);
  }
}

function hex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

async function readRecord(path: string): Promise<LayerRecord | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LayerRecord;
  } catch {
    return undefined;
  }
}
