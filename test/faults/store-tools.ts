import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const WORK = join(__dirname, 'children/store-work.js');

export interface StoreWork {
  child: ChildProcess;
  /** What it has said so far, a list of words per line. */
  lines: string[][];
  /** Its status, or the signal that ended it. */
  ended: Promise<number | string>;
  /** Resolves when it has said a word. */
  said(word: string): Promise<void>;
}

/** Starts `children/store-work.ts`; `around` is a program that runs it, such as strace. */
export function startWork(words: (string | number)[], around: string[] = []): StoreWork {
  const all = [...around, process.execPath, WORK, ...words.map(String)];
  const child = spawn(all[0]!, all.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[][] = [];
  let rest = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    lines.push(...parts.map((line) => line.split(' ')));
  });
  const ended = once(child, 'close').then(([status, signal]) => (status ?? signal) as number | string);
  const said = async (word: string) => {
    while (!lines.some(([first]) => first === word)) {
      const [text] = await Promise.race([once(child.stdout!, 'data'), ended.then(() => [])]);
      if (text === undefined) throw new Error(`it ended before it said ${word}: ${JSON.stringify(lines)}`);
    }
  };
  return { child, lines, ended, said };
}

/** A file system of its own for a NAS, on a loop device. */
export class LoopDisk {
  readonly folder: string;
  readonly #image: string;

  constructor(base: string, megabytes: number) {
    this.folder = join(base, 'disk');
    this.#image = join(base, 'disk.img');
    mkdirSync(this.folder);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, megabytes << 20);
    execFileSync('mkfs.ext4', ['-q', this.#image]);
    execFileSync('mount', ['-o', 'loop', this.#image, this.folder]);
  }

  freeze(): void {
    execFileSync('fsfreeze', ['-f', this.folder]);
  }

  thaw(): void {
    execFileSync('fsfreeze', ['-u', this.folder]);
  }

  /** What lies beyond so many bytes can be read no more: EIO. */
  lose(megabytes: number): void {
    execFileSync('sync');
    truncateSync(this.#image, megabytes << 20);
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  }

  remove(): void {
    execFileSync('umount', [this.folder]);
    rmSync(this.#image);
  }
}

/** Names of objects under their final names. */
export function objectsIn(nas: string): string[] {
  const objects = join(nas, 'garua/objects');
  if (!existsSync(objects)) return [];
  return readdirSync(objects).flatMap((shard) => readdirSync(join(objects, shard)));
}

/** Names of what is half written, or on its way out. */
export function leftoversIn(nas: string): string[] {
  return ['incoming', 'evicting'].flatMap((folder) => readdirSync(join(nas, 'garua', folder)));
}

export function objectFile(nas: string, cid: string): string {
  return join(nas, 'garua/objects', cid.at(-2)!, cid);
}
