import { join } from 'node:path';
import { SingleFlight } from '../../base';
import { Disk, type DiskHandle } from '../disk/disk';
import { FileMissingError } from '../disk/disk-error';
import type { FileFacts } from '../disk/jobs';
import { ObjectCorruptError } from '../errors';
import type { Footer } from '../object-file/format';
import { leafCount } from '../tree/layout';
import { checkMarker } from './marker';
import { NasPaths, uniqueName } from './paths';

export interface NasOptions {
  folder: string;
  /** Where this host remembers which NAS it uses. */
  memory: string;
  mayCreateFolder: boolean;
  /** How long one call to the file system may take, in milliseconds. */
  limitMs: number;
}

/** How often an object's last use is written down, in milliseconds. */
const TOUCH_EVERY_MS = 10 * 60_000;

/** How often an object that others move away and back is looked for. */
const OPEN_TRIES = 8;

/** An object of the NAS that is open for reading. */
export class OpenObject {
  readonly leaves: number;

  constructor(
    readonly cid: string,
    readonly footer: Footer,
    private readonly handle: DiskHandle,
  ) {
    this.leaves = leafCount(footer.size);
  }

  /** Checked bytes. @throws {ObjectCorruptError} */
  read(firstLeaf: number, count: number): Promise<Uint8Array> {
    return this.handle.run('readLeaves', [firstLeaf, count]);
  }

  check(firstLeaf: number, count: number): Promise<void> {
    return this.handle.run('checkLeaves', [firstLeaf, count]);
  }

  /** The next blocks in the order of `blockOrder`; none at the end. */
  blocks(firstLeaf: number): Promise<Uint8Array[]> {
    return this.handle.run('readBlocks', [firstLeaf]);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** A temporary file that becomes an object. */
export class IncomingObject {
  constructor(
    readonly path: string,
    readonly handle: DiskHandle,
    /** Whole leaves that are there from an earlier attempt. */
    readonly resumed: number,
  ) {}

  append(bytes: Uint8Array): Promise<void> {
    return this.handle.run('append', [bytes]);
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** The folder that all hosts of a site share. Many processes may use it at once. */
export class Nas {
  readonly paths: NasPaths;
  readonly disk: Disk;
  readonly #options: NasOptions;
  readonly #checks = new SingleFlight<void>();
  readonly #touched = new Map<string, number>();
  #ready = false;
  #clockOffset = 0;

  constructor(options: NasOptions) {
    this.#options = options;
    this.paths = new NasPaths(options.folder);
    this.disk = new Disk(options.folder, options.limitMs);
  }

  /** Milliseconds since 1970 by the clock of the NAS, which is the same for all hosts. */
  get now(): number {
    return Date.now() + this.#clockOffset;
  }

  /** @throws {NasMissingError} {NasHungError} ... */
  async ready(): Promise<void> {
    if (this.#ready) return;
    await this.#checks.run('', () => this.#check());
  }

  async #check(): Promise<void> {
    const { folder: _folder, limitMs: _limit, ...options } = this.#options;
    await checkMarker({ ...options, disk: this.disk, paths: this.paths });
    // A NAS that cannot be written can still be read.
    const offset = await this.disk
      .run('clockOffset', join(this.paths.incoming, `${uniqueName()}.clock`))
      .catch(() => 0);
    this.#clockOffset = Math.abs(offset) < 100 ? 0 : offset;
    this.#ready = true;
  }

  /** After something was not found: is the NAS still there? @throws {NasMissingError} */
  async recheck(): Promise<void> {
    this.#ready = false;
    await this.ready();
  }

  /** Opens an object; undefined when it is not here. @throws {ObjectCorruptError} once, see `quarantine` */
  async open(cid: string): Promise<OpenObject | undefined> {
    await this.ready();
    const opened = await this.#tryOpen(cid);
    if (opened) return opened;
    await this.recheck();
    // It may be on its way out or back while it is looked for, and is then seen in one of the two places.
    for (let tries = 0; tries < OPEN_TRIES; tries += 1) {
      const leaving = await this.restore(cid);
      const found = await this.#tryOpen(cid);
      if (found || !leaving) return found;
    }
    return undefined;
  }

  async #tryOpen(cid: string): Promise<OpenObject | undefined> {
    const handle = this.disk.handle();
    try {
      const footer = await handle.run('openObject', [this.paths.object(cid), cid]);
      this.#touch(cid);
      return new OpenObject(cid, footer, handle);
    } catch (error) {
      await handle.close();
      if (error instanceof FileMissingError) return undefined;
      throw error;
    }
  }

  /** Whether the object is here under its final name. */
  async has(cid: string): Promise<boolean> {
    await this.ready();
    return (await this.disk.run('stat', this.paths.object(cid))) !== undefined;
  }

  /** Takes back an object that was on its way out; answers whether it was. */
  async restore(cid: string): Promise<boolean> {
    const names = await this.disk.run('names', this.paths.evicting);
    for (const name of names) {
      if (!name.startsWith(`${cid}.`)) continue;
      try {
        await this.disk.run('move', join(this.paths.evicting, name), this.paths.object(cid));
      } catch (error) {
        // Somebody else was quicker, with the same aim or the other one.
        if (!(error instanceof FileMissingError)) throw error;
      }
      return true;
    }
    return false;
  }

  /** Starts writing an object, or goes on with one that was left. */
  async create(path = this.paths.temporary(), resume = false): Promise<IncomingObject> {
    await this.ready();
    const handle = this.disk.handle();
    try {
      const resumed = await handle.run(resume ? 'resumeObject' : 'createObject', [path]);
      return new IncomingObject(path, handle, resumed);
    } catch (error) {
      await handle.close();
      throw await this.explain(error);
    }
  }

  /** Puts a sealed object under its final name; it stays there also after a power cut. */
  async publish(path: string, cid: string): Promise<void> {
    try {
      await this.disk.run('publish', path, this.paths.object(cid));
    } catch (error) {
      throw await this.explain(error);
    }
  }

  /** A missing folder means that the NAS is not there any more. */
  async explain(error: unknown): Promise<unknown> {
    if (!(error instanceof FileMissingError)) return error;
    return this.recheck().then(
      () => error,
      (missing) => missing,
    );
  }

  /** Puts a damaged object aside, where a person can look at it. Somebody else may have done so. */
  async quarantine(cid: string): Promise<void> {
    const target = join(this.paths.quarantine, `${cid}.${this.now}.${uniqueName()}`);
    await this.disk.run('move', this.paths.object(cid), target).catch((error) => {
      if (!(error instanceof FileMissingError)) throw error;
    });
  }

  /** Objects in place, folder by folder; file sizes, with what this store adds to the bytes. */
  async *objects(): AsyncIterable<FileFacts> {
    await this.ready();
    for (const folder of await this.disk.run('names', this.paths.objects)) {
      yield* await this.disk.run('files', join(this.paths.objects, folder));
    }
  }

  /** The footer of an object in place; undefined when it is damaged or gone. */
  async footer(cid: string): Promise<Footer | undefined> {
    try {
      return await this.disk.run('footer', this.paths.object(cid), cid);
    } catch (error) {
      if (error instanceof FileMissingError || error instanceof ObjectCorruptError) return undefined;
      throw error;
    }
  }

  async writeSmall(path: string, content: string): Promise<void> {
    await this.ready();
    const temporary = this.paths.temporary();
    try {
      await this.disk.run('writeSmall', temporary, path, content);
    } catch (error) {
      await this.disk.run('remove', temporary).catch(() => {});
      throw await this.explain(error);
    }
  }

  close(): Promise<void> {
    return this.disk.close();
  }

  /** Remembers that the object was used, for those who evict; nobody waits for it. */
  #touch(cid: string): void {
    const now = this.now;
    if (now - (this.#touched.get(cid) ?? 0) < TOUCH_EVERY_MS) return;
    if (this.#touched.size > 10_000) this.#touched.clear();
    this.#touched.set(cid, now);
    this.disk.run('touch', this.paths.object(cid), now).catch(() => {});
  }
}
