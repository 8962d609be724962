import { accessSync, constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { arch, machine } from 'node:os';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { execute, kernelClockSynchronised, writeFileAtomic } from '../../base';
import type { ChangeableMachine, FileFacts, FreeSpace } from './machine';
import { moduleTrouble } from './native-modules';

/** Daemons' programs lie there, also when a user's PATH leaves it out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const MINUTE = 60_000;

/** A machine whose file tree begins at a folder: `/` is this machine itself. */
export class LocalMachine implements ChangeableMachine {
  readonly architecture: string = arch();
  readonly kernelArchitecture: string = machine();
  readonly nodeVersion: string = process.versions.node;
  readonly userId: number = process.getuid?.() ?? -1;

  #turns: Promise<unknown> = Promise.resolve();

  constructor(readonly root = '/') {}

  now(): number {
    return Date.now();
  }

  read(path: string): Promise<string | undefined> {
    return readFile(this.at(path), 'utf8').catch(() => undefined);
  }

  async readCompressed(path: string): Promise<string | undefined> {
    try {
      return (await promisify(gunzip)(await readFile(this.at(path)))).toString('utf8');
    } catch {
      return undefined;
    }
  }

  async list(path: string): Promise<string[]> {
    return (await readdir(this.at(path)).catch(() => [])).sort();
  }

  exists(path: string): Promise<boolean> {
    return access(this.at(path)).then(
      () => true,
      () => false,
    );
  }

  async facts(path: string): Promise<FileFacts | undefined> {
    const found = await stat(this.at(path)).catch(() => undefined);
    return found && { userId: found.uid, groupId: found.gid, mode: found.mode & 0o7777 };
  }

  async which(program: string): Promise<{ path: string; onPath: boolean } | undefined> {
    const find = (folders: string[]) => folders.map((folder) => join(folder, program)).find(isExecutable);
    const found = find((process.env.PATH ?? '').split(':').filter(Boolean));
    if (found) return { path: found, onPath: true };
    const elsewhere = find(SYSTEM_FOLDERS);
    return elsewhere ? { path: elsewhere, onPath: false } : undefined;
  }

  async run(program: string, ...words: string[]): Promise<string | undefined> {
    await this.#turn();
    try {
      const { stdout, stderr } = await execute(program, words, { timeoutMs: 10_000 });
      return stdout || stderr;
    } catch {
      return undefined;
    }
  }

  async free(path: string): Promise<FreeSpace | undefined> {
    for (let folder = path; ; folder = dirname(folder)) {
      try {
        const { bavail, bsize, files, ffree } = await statfs(this.at(folder));
        return { bytes: bavail * bsize, inodes: files > 0 ? ffree : undefined };
      } catch {
        // The folder is yet to be made: its parent's file system will hold it.
        if (folder === dirname(folder)) return undefined;
      }
    }
  }

  async clockSynchronised(): Promise<boolean | undefined> {
    return kernelClockSynchronised();
  }

  async moduleTrouble(name: string): Promise<string | undefined> {
    await this.#turn();
    return moduleTrouble(name);
  }

  write(path: string, content: string, mode?: number): Promise<void> {
    return writeFileAtomic(this.at(path), content, mode);
  }

  remove(path: string): Promise<void> {
    return rm(this.at(path), { recursive: true, force: true });
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await mkdir(this.at(path), { recursive: true, mode });
  }

  setKernelValue(path: string, value: string): Promise<void> {
    return writeFile(this.at(path), value);
  }

  async execute(program: string, ...words: string[]): Promise<void> {
    await execute(program, words, { timeoutMs: 2 * MINUTE });
  }

  /** Starting a process blocks for a millisecond or two: many at once would be felt in a Node-RED. */
  #turn(): Promise<unknown> {
    this.#turns = this.#turns.then(() => setImmediate());
    return this.#turns;
  }

  /** Where a path of the machine lies on this one. */
  protected at(path: string): string {
    return this.root === '/' ? path : join(this.root, path);
  }
}

/** The machine that this process runs on. */
export const thisMachine: ChangeableMachine = new LocalMachine();

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
