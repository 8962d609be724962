import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, type Stats, unlinkSync } from 'node:fs';
import { LayerBreakoutError, LayerCorruptError } from './errors';
import { joinName, showName, splitName } from './names';

/** As many as the kernel follows in one path. */
const MAX_SYMLINKS = 40;

/** Bits of a mode that mkdir(2) does not set, or that would make later entries inherit a group. */
const SPECIAL_BITS = 0o7000;

/** What a directory shall be once all its entries are there. */
export interface Directory {
  /** The mode that it has now, and the one that it gets at the end. */
  currentMode: number;
  mode: number;
  /** Absent for a parent that the archive implies: its time is left as it comes. */
  modified?: { seconds: number; nanoseconds: number };
}

export interface TreeHooks {
  /** A directory was made because entries need it. */
  implied(name: string): void;
  /** A directory took the place of something that this layer, or a whiteout in it, had put there. */
  replaced(name: string): void;
}

/**
 * The folder that a layer is unpacked into. It knows every directory in it, since all of them are its own:
 * names whose parent it knows need no look at the disk, and all others are resolved component by component,
 * symbolic links as in a chroot. So no system call ever gets a path that leads through a symbolic link.
 */
export class LayerTree {
  readonly directories = new Map<string, Directory>();
  readonly #root: string;
  readonly #hooks: TreeHooks;
  readonly #umask: number;

  constructor(root: string, umask: number, hooks: TreeHooks) {
    this.#root = Buffer.from(root).toString('latin1');
    this.#umask = umask;
    this.#hooks = hooks;
  }

  /** The path of a name for a system call. */
  path(name: string): string | Buffer {
    const path = name === '' ? this.#root : `${this.#root}/${name}`;
    // Text is faster, and for ASCII the same bytes.
    return /^[\x00-\x7f]*$/.test(path) ? path : Buffer.from(path, 'latin1');
  }

  lstat(name: string): Stats | undefined {
    return lstatSync(this.path(name), { throwIfNoEntry: false });
  }

  /** The name that an entry really has, its parents made where missing. The last component may be anything. */
  locate(name: string): string {
    const slash = name.lastIndexOf('/');
    if (slash < 0) return name;
    const parent = name.slice(0, slash);
    if (this.directories.has(parent)) return name;
    return joinName(this.resolve(parent, true)!, name.slice(slash + 1));
  }

  /** As `locate`, for a name that must exist: undefined when a parent does not. */
  find(name: string): string | undefined {
    const [parent, base] = splitName(name);
    const real = this.resolve(parent, false);
    return real === undefined ? undefined : joinName(real, base);
  }

  /**
   * The real directory behind a name, symbolic links resolved inside the root.
   *
   * @throws {LayerCorruptError} if something else than a directory is in the way
   */
  resolve(name: string, make: boolean): string | undefined {
    if (this.directories.has(name)) return name;
    const todo = name.split('/').reverse();
    let current = '';
    let links = 0;
    while (todo.length > 0) {
      const part = todo.pop()!;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        current = splitName(current)[0];
        continue;
      }
      const next = joinName(current, part);
      if (!this.directories.has(next)) {
        const found = this.lstat(next);
        if (found?.isSymbolicLink()) {
          links += 1;
          if (links > MAX_SYMLINKS)
            throw new LayerBreakoutError(`too many symbolic links in ${showName(name)}`);
          const target = readlinkSync(this.path(next), 'latin1');
          if (target.startsWith('/')) current = '';
          todo.push(...target.split('/').reverse());
          continue;
        }
        if (!make) return undefined;
        // A whiteout stands for nothing, so a directory may take its place; a file's place it may not.
        if (found && !isWhiteout(found)) {
          throw new LayerCorruptError(
            `${showName(next)} is not a directory, but the parent of ${showName(name)}`,
          );
        }
        this.makeDirectory(next, 0o755);
        this.#hooks.implied(next);
      }
      current = next;
    }
    return current;
  }

  /** Makes a directory in a known parent, or keeps the one that is there. Anything else makes room for it. */
  makeDirectory(name: string, mode: number): Directory {
    const existing = this.directories.get(name);
    if (existing) {
      existing.mode = mode;
      return existing;
    }
    // Its entries have to get in, whatever its mode will be.
    const permissions = (mode & ~SPECIAL_BITS) | 0o700;
    const replaced = this.create(name, (path) => mkdirSync(path, permissions));
    const directory = { currentMode: permissions & ~this.#umask, mode };
    this.directories.set(name, directory);
    if (replaced) this.#hooks.replaced(name);
    return directory;
  }

  /** Runs what creates a name; if the name is taken, once more after its removal. True if it was taken. */
  create(name: string, make: (path: string | Buffer) => void): boolean {
    const path = this.path(name);
    try {
      make(path);
      return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    this.remove(name);
    make(path);
    return true;
  }

  /** Removes whatever has this name. */
  remove(name: string): void {
    if (name === '') throw new LayerCorruptError('the root of a layer must be a directory');
    if (!this.directories.has(name)) {
      unlinkSync(this.path(name));
      return;
    }
    for (const entry of readdirSync(this.path(name), 'latin1')) this.remove(`${name}/${entry}`);
    rmdirSync(this.path(name));
    this.directories.delete(name);
  }
}

/** Overlayfs: a character device 0:0 hides the name in the layers below. */
export function isWhiteout(found: Stats): boolean {
  return found.isCharacterDevice() && found.rdev === 0;
}
