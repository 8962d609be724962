import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { mknod } from '../../../base';
import { TransferFailedError } from '../errors';
import { applyAttributes } from './attributes';
import type { FolderChange } from './changes';
import { entryPath, parentOf } from './paths';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
const ZERO = new Uint8Array(256 << 10);

/**
 * Makes a copy of another host's folder here. That host may place containers, but not own this one: no path may lead
 * out of the folder, so each folder on the way is looked at before it is entered.
 */
export class FolderWriter {
  readonly #root: string;
  /** Known to be folders, and no links to others. */
  readonly #folders = new Set(['']);
  #open: { name: string; file: number } | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  /** @throws {TransferFailedError} when a path leads out of the folder, or no such thing can be there */
  apply(changes: FolderChange[], bytes: Uint8Array): void {
    let used = 0;
    for (const change of changes) {
      const size = change.change === 'data' ? change.size : 0;
      this.#apply(change, bytes.subarray(used, used + size));
      used += size;
    }
  }

  #apply(change: FolderChange, bytes: Uint8Array): void {
    const { path: name } = change;
    const path = this.#path(name);
    switch (change.change) {
      case 'remove':
        this.#remove(name);
        break;
      case 'folder':
        this.#makeFolder(name);
        applyAttributes(path, change.attributes);
        break;
      case 'file':
        this.#begin(name, change.fresh);
        break;
      case 'data':
        writeAll(this.#fileOf(name), bytes, change.offset);
        break;
      case 'zeros':
        writeZeros(this.#fileOf(name), change.offset, change.size);
        break;
      case 'finish':
        ftruncateSync(this.#fileOf(name), change.size);
        this.#close();
        applyAttributes(path, change.attributes);
        break;
      case 'link':
        this.#link(name, change.to);
        break;
      case 'symlink':
        this.#remove(name);
        symlinkSync(Buffer.from(change.target, 'latin1'), path);
        applyAttributes(path, change.attributes);
        break;
      case 'node':
        this.#remove(name);
        mknod(path, change.attributes.mode, change.major, change.minor);
        applyAttributes(path, change.attributes);
    }
  }

  #link(name: string, to: string): void {
    const [path, existing] = [this.#path(name), this.#path(to)];
    if (sameFile(path, existing)) return;
    this.#remove(name);
    linkSync(existing, path);
  }

  #begin(name: string, fresh: boolean): void {
    this.#close();
    if (fresh) this.#remove(name);
    const flags = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | (fresh ? O_CREAT | O_EXCL : 0);
    const file = openSync(this.#path(name), flags, 0o600);
    this.#open = { name, file };
    if (!fstatSync(file).isFile()) throw new TransferFailedError(`${show(name)} is no file`);
  }

  #fileOf(name: string): number {
    if (this.#open?.name !== name) throw new TransferFailedError(`${show(name)} was not begun`);
    return this.#open.file;
  }

  #close(): void {
    if (this.#open) closeSync(this.#open.file);
    this.#open = undefined;
  }

  #makeFolder(name: string): void {
    if (this.#folders.has(name)) return;
    const path = this.#path(name);
    if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      this.#remove(name);
      mkdirSync(path, 0o700);
    }
    this.#folders.add(name);
  }

  #remove(name: string): void {
    if (name === '') throw new TransferFailedError('the folder itself cannot be removed');
    const path = this.#path(name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found) return;
    if (!found.isDirectory()) {
      unlinkSync(path);
      return;
    }
    rmSync(path, { recursive: true });
    for (const folder of this.#folders) {
      if (folder === name || folder.startsWith(`${name}/`)) this.#folders.delete(folder);
    }
  }

  /** The path of a name whose parents are all real folders. */
  #path(name: string): Buffer {
    const odd = (part: string) => part === '' || part === '.' || part === '..' || part.includes('\0');
    if (name !== '' && name.split('/').some(odd)) throw new TransferFailedError(`the path ${show(name)}`);
    this.#requireFolder(parentOf(name));
    return entryPath(this.#root, name);
  }

  #requireFolder(name: string): void {
    if (this.#folders.has(name)) return;
    this.#requireFolder(parentOf(name));
    const found = lstatSync(entryPath(this.#root, name), { throwIfNoEntry: false });
    if (!found?.isDirectory()) throw new TransferFailedError(`${show(name)} is no folder`);
    this.#folders.add(name);
  }
}

function sameFile(one: Buffer, other: Buffer): boolean {
  const [a, b] = [one, other].map((path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  return a !== undefined && a.ino === b?.ino && a.dev === b.dev;
}

function writeZeros(file: number, offset: number, size: number): void {
  for (let done = 0; done < size; done += ZERO.length) {
    writeAll(file, ZERO.subarray(0, Math.min(ZERO.length, size - done)), offset + done);
  }
}

function writeAll(file: number, bytes: Uint8Array, offset: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(file, bytes, written, bytes.length - written, offset + written);
  }
}

const show = (name: string) => JSON.stringify(Buffer.from(name, 'latin1').toString());
