import { readlinkSync } from 'node:fs';
import { TransferFailedError } from '../errors';
import { readAttributes } from './attributes';
import type { FolderBatch, FolderChange } from './changes';
import { type Blocks, type Piece, readFile } from './file-reader';
import { entryPath, parentOf } from './paths';
import { type Entry, ignoreGone, scanFolder } from './scan';

/** Bytes and changes handed over in one go. */
const BATCH_BYTES = 1 << 20;
const BATCH_CHANGES = 1000;

interface Sent extends Entry {
  blocks: Blocks;
}

/** Reads a folder in rounds: all of it, then again and again only what has changed. */
export class FolderReader {
  readonly #root: string;
  /** What the target has. */
  #sent = new Map<string, Sent>();
  #pieces: Iterator<Piece> = [][Symbol.iterator]();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Looks at all entries, and begins a round.
   *
   * @param doubtful names of files whose times do not tell whether they were changed
   * @throws {TransferFailedError} when the folder is gone
   */
  begin(doubtful: readonly string[]): void {
    const found = scanFolder(this.#root);
    if (!found.has('')) throw new TransferFailedError(`${this.#root} is gone`);
    // A file may have other names as well.
    const inodes = new Set(doubtful.flatMap((name) => found.get(name)?.stat.ino ?? []));
    this.#pieces = this.#round(found, inodes);
  }

  next(): FolderBatch {
    const changes: FolderChange[] = [];
    const parts: Uint8Array[] = [];
    let size = 0;
    while (size < BATCH_BYTES && changes.length < BATCH_CHANGES) {
      const piece = this.#pieces.next();
      if (piece.done) return { changes, bytes: joined(parts, size), done: true };
      const [change, bytes] = piece.value;
      changes.push(change);
      if (!bytes) continue;
      parts.push(bytes);
      size += bytes.length;
    }
    return { changes, bytes: joined(parts, size), done: false };
  }

  *#round(found: Map<string, Entry>, doubtful: ReadonlySet<bigint>): Generator<Piece> {
    const touched = new Set<string>();
    yield* this.#removals(found, touched);
    /** The first name of each file that has several. */
    const names = new Map<bigint, string>();
    for (const [name, entry] of found) {
      const before = this.#sent.get(name);
      const linked = entry.kind === 'file' && entry.stat.nlink > 1n;
      const first = linked ? names.get(entry.stat.ino) : undefined;
      if (linked && first === undefined) names.set(entry.stat.ino, name);
      const doubted = first === undefined && entry.kind === 'file' && doubtful.has(entry.stat.ino);
      if (before?.signature === entry.signature && !doubted) continue;
      if (entry.kind === 'folder') touched.add(name);
      else touched.add(parentOf(name));
      if (first !== undefined) {
        // What came before may have gone since; then this one comes when it is looked at again.
        if (!this.#sent.has(first)) continue;
        yield [{ change: 'link', path: name, to: first }];
        this.#sent.set(name, { ...entry, blocks: this.#sent.get(first)!.blocks });
      } else yield* this.#entry(name, entry, before);
    }
    // What was done in a folder has changed its times.
    for (const name of touched) {
      const entry = found.get(name);
      if (entry?.kind === 'folder') yield* this.#folder(name, entry);
    }
  }

  *#removals(found: Map<string, Entry>, touched: Set<string>): Generator<Piece> {
    const gone = new Set<string>();
    for (const [name, { kind }] of this.#sent) {
      if (found.get(name)?.kind === kind) continue;
      this.#sent.delete(name);
      gone.add(name);
      touched.add(parentOf(name));
      // What lies in a folder goes with it; a folder is always sent before what it holds.
      if (!gone.has(parentOf(name))) yield [{ change: 'remove', path: name }];
    }
  }

  *#entry(name: string, entry: Entry, before: Sent | undefined): Generator<Piece> {
    if (entry.kind === 'folder') yield* this.#folder(name, entry);
    else if (entry.kind === 'file') {
      const same = before?.stat.ino === entry.stat.ino;
      const state = yield* readFile(entryPath(this.#root, name), name, same ? before.blocks : undefined);
      if (state) this.#sent.set(name, { ...state.entry, blocks: state.blocks });
    } else {
      const change = ignoreGone(() => this.#special(name, entry));
      if (!change) return;
      yield [change];
      this.#sent.set(name, { ...entry, blocks: undefined });
    }
  }

  *#folder(name: string, entry: Entry): Generator<Piece> {
    const attributes = ignoreGone(() => readAttributes(entryPath(this.#root, name), entry.stat));
    if (!attributes) return;
    yield [{ change: 'folder', path: name, attributes }];
    this.#sent.set(name, { ...entry, blocks: undefined });
  }

  #special(name: string, { kind, stat }: Entry): FolderChange {
    const path = entryPath(this.#root, name);
    const attributes = readAttributes(path, stat);
    if (kind === 'symlink') {
      return { change: 'symlink', path: name, target: readlinkSync(path, 'latin1'), attributes };
    }
    const [major, minor] = deviceNumbers(stat.rdev);
    return { change: 'node', path: name, major, minor, attributes };
  }
}

/** A buffer of its own, which can move to the other thread. */
function joined(parts: Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let filled = 0;
  for (const part of parts) {
    all.set(part, filled);
    filled += part.length;
  }
  return all;
}

/** As glibc's gnu_dev_major(3) and gnu_dev_minor(3). */
function deviceNumbers(device: bigint): [number, number] {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return [Number(major), Number(minor)];
}
