/** What the fault tests share: chance with a seed, small disks, and a look at what was left behind. */
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Digest } from '../../lib/image/image';
import type { CliResult } from '../support/garua';

/** Numbers in [0, 1) that a printed seed repeats: GARUA_FAULT_SEED (mulberry32). */
export function chance(what: string): () => number {
  const seed = Number(process.env.GARUA_FAULT_SEED ?? randomInt(2 ** 31));
  console.log(`    ${what}: GARUA_FAULT_SEED=${seed}`);
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** SIGKILL after so many milliseconds, unless it ends before; answers its end. */
export async function killAfter(
  { child, result }: { child: ChildProcess; result: Promise<CliResult> },
  milliseconds: number,
): Promise<CliResult> {
  await Promise.race([delay(milliseconds), result]);
  child.kill('SIGKILL');
  return result;
}

/** OCI image-spec, config.md, "Layer ChainID", written again so that lib does not check itself. */
export function chainIdsOf(diffIds: Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    const text = `${below} ${diffId}`;
    chain.push(below ? `sha256:${createHash('sha256').update(text).digest('hex')}` : diffId);
  }
  return chain;
}

/** Names of what a pull or a write leaves half done in a data directory; inside finished layers nobody looks. */
export function halfDone(data: string): string[] {
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (/\.(partial|tmp|blob|tar)$/.test(entry.name)) found.push(relative(data, path));
      else if (entry.isDirectory() && !/^[0-9a-f]{64}$/.test(entry.name) && entry.name !== 'containers') {
        visit(path);
      }
    }
  };
  visit(data);
  const trash = readdirSync(join(data, 'layers', '.trash'));
  return [...found, ...trash.map((name) => `layers/.trash/${name}`)];
}

/** Chain IDs of the layers that have their final name. */
export function finishedLayers(data: string): Digest[] {
  return namesIn(join(data, 'layers'))
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .map((name) => `sha256:${name}`);
}

/** None where there is no folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Mount points below a folder. */
export function mountsBelow(folder: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(`${folder}/`));
}

/** Command lines of running processes that hold this text. */
export function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return words.includes(text) ? [`${pid} ${words}`] : [];
      } catch {
        return [];
      }
    });
}

/** A disk of memory, whose size can be changed. */
export class SmallDisk {
  readonly path = mkdtempSync(join(tmpdir(), 'garua-disk-'));

  constructor(size: string) {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'garua-faults', this.path]);
  }

  resize(size: string): void {
    execFileSync('mount', ['-o', `remount,size=${size}`, this.path]);
  }

  /** Takes all room but so many pages of 4 KiB, with a file named `ballast`. */
  fill(pagesLeft = 0): void {
    const file = openSync(this.#ballast, 'w');
    let pages = 0;
    try {
      for (; ; pages += 1) writeSync(file, Buffer.alloc(4096));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      ftruncateSync(file, Math.max(0, pages - pagesLeft) * 4096);
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(this.#ballast);
  }

  get #ballast(): string {
    return join(this.path, 'ballast');
  }

  /** Fails when somebody still holds a file of it. */
  remove(): void {
    execFileSync('umount', [this.path]);
    rmdirSync(this.path);
  }

  /** Removes it whoever holds it, with the containers of the data directory `data` on it. */
  tearDown(): void {
    const containers = join(this.path, 'data/containers');
    for (const id of namesIn(containers)) {
      for (const file of ['conmon.pid', 'container.pid']) {
        try {
          process.kill(Number(readFileSync(join(containers, id, file), 'utf8')), 'SIGKILL');
        } catch {
          // It has ended, or never ran.
        }
      }
      spawnSync('umount', ['--lazy', join(containers, id, 'root')]);
    }
    execFileSync('umount', ['--lazy', this.path]);
    rmdirSync(this.path);
  }
}

/** A disk for `use`. That nobody holds it afterwards is checked, unless something else has failed before. */
export async function withSmallDisk(size: string, use: (disk: SmallDisk) => Promise<void>): Promise<void> {
  const disk = new SmallDisk(size);
  try {
    await use(disk);
  } catch (error) {
    disk.tearDown();
    throw error;
  }
  disk.remove();
}

/** The tree that a container would see, mounted read-only for `look`. */
export function withMerged<T>(
  folder: string,
  data: string,
  chainIds: Digest[],
  look: (root: string) => T,
): T {
  mkdirSync(folder, { recursive: true });
  const lower = chainIds.map((chainId) => join(data, 'layers', chainId.slice(7))).reverse();
  execFileSync('mount', ['-t', 'overlay', '-o', `ro,lowerdir=${lower.join(':')}`, 'garua-faults', folder]);
  try {
    return look(folder);
  } finally {
    execFileSync('umount', [folder]);
  }
}
