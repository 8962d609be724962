import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  openSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { DiskFullError, futimes, type GaruaError, lsetxattr, lutimes, mknod, toGaruaError } from '../../base';
import type { TarEntry } from './entry';
import { LayerCorruptError, LayerUnsupportedError } from './errors';
import { findLowerDirectory } from './lower';
import { cleanName, joinName, showName, splitName } from './names';
import {
  isForgedXattr,
  isSkippableXattr,
  OPAQUE_VALUE,
  OPAQUE_XATTR,
  readWhiteout,
  type Whiteout,
} from './overlay';
import { TarParser } from './parser';
import { isWhiteout, LayerTree } from './tree';

/** The largest user or group number; the one above means "leave as it is" to chown(2). */
const MAX_OWNER = 0xffff_fffe;

const DEVICE_TYPES = { character: constants.S_IFCHR, block: constants.S_IFBLK, fifo: constants.S_IFIFO };

/** A new file each time: nothing that is there is ever opened, be it a link, a device or a linked file. */
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export interface LayerExtractorOptions {
  /** The folders of the layers below, uppermost first, for the attributes of implied directories. */
  lowerFolders?: string[];
}

export interface ExtractSummary {
  /** Members of the archive, whiteouts included, extension headers not. */
  entries: number;
  /** Bytes of the archive. */
  bytes: number;
  /** Extended attributes left out: forged overlay marks, and those that the file system does not take. */
  skippedXattrs: number;
}

/**
 * Unpacks an uncompressed layer (OCI image-spec, layer.md) into a folder, in the form that overlayfs takes as
 * a lower directory. All calls are synchronous: it belongs in a worker. After an error the folder holds a part
 * of the layer and must be removed.
 */
export class LayerExtractor {
  readonly #root: string;
  readonly #tree: LayerTree;
  readonly #parser: TarParser;
  readonly #lowerFolders: string[];
  readonly #umask = process.umask();
  readonly #uid = process.geteuid!();
  readonly #gid = process.getegid!();
  readonly #summary: ExtractSummary = { entries: 0, bytes: 0, skippedXattrs: 0 };
  #failure: GaruaError | undefined;
  #entry: TarEntry | undefined;
  /** The name that the current entry really has. */
  #name = '';
  #descriptor: number | undefined;

  /** @param root an existing empty folder that nobody else writes to */
  constructor(root: string, options: LayerExtractorOptions = {}) {
    this.#root = root;
    this.#lowerFolders = options.lowerFolders ?? [];
    this.#tree = new LayerTree(root, this.#umask, {
      implied: (name) => this.#inheritAttributes(name),
      // What stood there hid the lower layers' directory, which must not shine through now.
      replaced: (name) => this.#markOpaque(name),
    });
    this.#parser = new TarParser({
      begin: (entry) => this.#begin(entry),
      data: (view, start, end, position) => this.#writeData(view, start, end, position),
      finish: () => this.#finish(),
    });
    this.#adoptRoot();
  }

  /**
   * Takes the next piece of the archive, of any length. Nothing of it is used after the return.
   *
   * @throws {LayerCorruptError} {LayerBreakoutError} {LayerUnsupportedError} {DiskFullError} {PermissionError}
   */
  write(chunk: Uint8Array): void {
    this.#run(() => {
      this.#summary.bytes += chunk.length;
      this.#parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    });
  }

  /** The archive is complete: sets what directories can get only now. Throws as `write` does. */
  end(): ExtractSummary {
    this.#run(() => {
      this.#parser.end();
      this.#entry = undefined;
      this.#finishDirectories();
    });
    return { ...this.#summary };
  }

  /** Frees what a failed or abandoned extraction holds. Harmless at any time. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
  }

  #run(step: () => void): void {
    if (this.#failure) throw this.#failure;
    try {
      step();
    } catch (error) {
      this.#failure = this.#translate(error);
      this.close();
      throw this.#failure;
    }
  }

  #translate(error: unknown): GaruaError {
    const { code } = error as NodeJS.ErrnoException;
    const name = this.#entry ? showName(this.#entry.name) : 'the layer';
    if (code === 'ENOSPC' || code === 'EDQUOT') return new DiskFullError(this.#root, { cause: error });
    if (code === 'ENAMETOOLONG' || code === 'EFBIG') {
      return new LayerUnsupportedError(`${name} is too long for this file system`, { cause: error });
    }
    return toGaruaError(error, `unpacking ${name} into ${this.#root}`);
  }

  #begin(entry: TarEntry): void {
    this.#entry = entry;
    this.#summary.entries += 1;
    const { uid, gid } = entry;
    if (!(uid >= 0 && uid <= MAX_OWNER && gid >= 0 && gid <= MAX_OWNER)) {
      throw new LayerCorruptError(`${showName(entry.name)} has the impossible owner ${uid}:${gid}`);
    }
    const name = cleanName(entry.name);
    const [parent, base] = splitName(name);
    const whiteout = readWhiteout(base);
    if (whiteout) {
      this.#applyWhiteout(parent, whiteout);
      return;
    }
    if (name === '' && entry.type !== 'directory') {
      throw new LayerCorruptError('the root of a layer must be a directory');
    }
    this.#name = this.#tree.locate(name);
    if (entry.type === 'file') this.#beginFile(entry);
    else if (entry.type === 'directory') this.#beginDirectory(this.#name, entry);
    else if (entry.type === 'hardlink') this.#makeHardLink(entry);
    else if (entry.type === 'symlink') this.#makeSymbolicLink(entry);
    else this.#makeDevice(entry, DEVICE_TYPES[entry.type]);
  }

  #beginFile(entry: TarEntry): void {
    this.#tree.create(this.#name, (path) => {
      this.#descriptor = openSync(path, CREATE, entry.mode & 0o777);
    });
  }

  #writeData(view: Buffer, start: number, end: number, position: number): void {
    if (this.#descriptor === undefined) return;
    let offset = start;
    let target = position;
    while (offset < end) {
      const written = writeSync(this.#descriptor, view, offset, end - offset, target);
      offset += written;
      target += written;
    }
  }

  #finish(): void {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    const entry = this.#entry!;
    if (entry.sparse) ftruncateSync(descriptor, entry.sparse.size);
    // This order matters: a change of owner clears setuid bits and capabilities.
    if (!this.#isMine(entry)) fchownSync(descriptor, entry.uid, entry.gid);
    if (this.#needsChmod(entry.mode)) fchmodSync(descriptor, entry.mode);
    this.#setXattrs(this.#name, entry);
    futimes(descriptor, entry.modified.seconds, entry.modified.nanoseconds);
    this.#descriptor = undefined;
    closeSync(descriptor);
  }

  #beginDirectory(name: string, entry: TarEntry): void {
    const isNew = !this.#tree.directories.has(name);
    const directory = this.#tree.makeDirectory(name, entry.mode);
    directory.modified = entry.modified;
    if (!isNew || !this.#isMine(entry)) lchownSync(this.#tree.path(name), entry.uid, entry.gid);
    this.#setXattrs(name, entry);
  }

  #makeHardLink(entry: TarEntry): void {
    const target = this.#tree.find(cleanName(entry.linkName));
    const found = target ? this.#tree.lstat(target) : undefined;
    const description = `the hard link ${showName(entry.name)} to ${showName(entry.linkName)}`;
    if (!target || !found || isWhiteout(found)) {
      throw new LayerCorruptError(`${description} has no target in this layer`);
    }
    if (found.isDirectory()) throw new LayerCorruptError(`${description} has a directory as target`);
    if (target === this.#name) return;
    this.#tree.create(this.#name, (path) => linkSync(this.#tree.path(target), path));
  }

  #makeSymbolicLink(entry: TarEntry): void {
    if (entry.linkName === '' || entry.linkName.includes('\0')) {
      throw new LayerCorruptError(`the symbolic link ${showName(entry.name)} has no usable target`);
    }
    const target = Buffer.from(entry.linkName, 'latin1');
    this.#tree.create(this.#name, (path) => symlinkSync(target, path));
    this.#setAttributes(entry, false);
  }

  #makeDevice(entry: TarEntry, type: number): void {
    this.#tree.create(this.#name, (path) =>
      mknod(path, type | (entry.mode & 0o777), entry.major, entry.minor),
    );
    this.#setAttributes(entry, this.#needsChmod(entry.mode));
  }

  /** The attributes of anything that has no descriptor, in the order that `finish` explains. */
  #setAttributes(entry: TarEntry, chmod: boolean): void {
    const path = this.#tree.path(this.#name);
    if (!this.#isMine(entry)) lchownSync(path, entry.uid, entry.gid);
    if (chmod) chmodSync(path, entry.mode);
    this.#setXattrs(this.#name, entry);
    lutimes(path, entry.modified.seconds, entry.modified.nanoseconds);
  }

  #setXattrs(name: string, entry: TarEntry): void {
    for (const [key, value] of entry.xattrs) {
      const attribute = Buffer.from(key, 'latin1').toString();
      try {
        if (isForgedXattr(attribute)) this.#summary.skippedXattrs += 1;
        else lsetxattr(this.#tree.path(name), attribute, value);
      } catch (error) {
        if (!isSkippableXattr(attribute, (error as NodeJS.ErrnoException).code)) throw error;
        this.#summary.skippedXattrs += 1;
      }
    }
  }

  #applyWhiteout(parent: string, whiteout: Whiteout): void {
    if (whiteout.kind === 'opaque') this.#markOpaque(this.#tree.resolve(parent, true)!);
    else if (whiteout.kind === 'name') this.#hide(this.#tree.locate(joinName(parent, whiteout.base)));
  }

  /** Hides a name of the lower layers. What this layer itself has under that name stays. */
  #hide(name: string): void {
    if (this.#tree.directories.has(name)) {
      this.#markOpaque(name);
      return;
    }
    try {
      mknod(this.#tree.path(name), constants.S_IFCHR, 0, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  #markOpaque(name: string): void {
    lsetxattr(this.#tree.path(name), OPAQUE_XATTR, OPAQUE_VALUE);
  }

  #inheritAttributes(name: string): void {
    const lower = findLowerDirectory(this.#lowerFolders, name);
    if (!lower) return;
    this.#tree.directories.get(name)!.mode = lower.mode & 0o7777;
    if (!this.#isMine(lower)) lchownSync(this.#tree.path(name), lower.uid, lower.gid);
  }

  /** Until an entry says else, the root is an implied directory. */
  #adoptRoot(): void {
    const { mode, uid, gid } = statSync(this.#root);
    // A set-group-ID bit would give every file here that group.
    const currentMode = (mode & 0o777) | 0o700;
    if ((mode & 0o7777) !== currentMode) chmodSync(this.#root, currentMode);
    if (uid !== this.#uid || gid !== this.#gid) lchownSync(this.#root, this.#uid, this.#gid);
    this.#tree.directories.set('', { currentMode, mode: 0o755 });
    this.#inheritAttributes('');
  }

  /** Directories get their time when nothing changes in them any more; the deepest go first. */
  #finishDirectories(): void {
    for (const [name, directory] of [...this.#tree.directories].reverse()) {
      const path = this.#tree.path(name);
      if (directory.mode !== directory.currentMode) chmodSync(path, directory.mode);
      if (directory.modified) lutimes(path, directory.modified.seconds, directory.modified.nanoseconds);
    }
  }

  #isMine(owner: { uid: number; gid: number }): boolean {
    return owner.uid === this.#uid && owner.gid === this.#gid;
  }

  /** True if creating with this mode did not set all of it. */
  #needsChmod(mode: number): boolean {
    return (mode & 0o777 & ~this.#umask) !== mode;
  }
}
