import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';

export interface File {
  name: string;
  size: number;
}

/** Regular files under some folders of `root` in a fixed shuffled order: any run of them is a fair sample. */
export async function listShuffled(root: string, folder: string, largest: string): Promise<File[]> {
  const { stdout } = await execute(
    'find',
    [join(root, folder), '-xdev', '-type', 'f', '-size', `-${largest}`, '-printf', '%s %P\\0'],
    { maxOutput: 256 << 20, timeoutMs: 120_000 },
  );
  return stdout
    .split('\0')
    .filter(Boolean)
    .map((line) => ({
      size: Number.parseInt(line, 10),
      name: join(folder, line.slice(line.indexOf(' ') + 1)),
    }))
    .map((file) => ({ file, rank: createHash('sha256').update(file.name).digest('hex') }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ file }) => file);
}

/** Everything below a folder, parents first, sorted by name. */
export async function listSorted(root: string): Promise<File[]> {
  const { stdout } = await execute('find', [root, '-xdev', '-printf', '%P\\0'], { maxOutput: 64 << 20 });
  return stdout
    .split('\0')
    .filter(Boolean)
    .sort()
    .map((name) => ({ name, size: lstatSync(join(root, name)).size }));
}

/** Cuts a list into parts of the given numbers of bytes; what is beyond the last part is left out. */
export function cut(files: File[], ...bytes: number[]): string[][] {
  let index = 0;
  return bytes.map((limit) => {
    const part: string[] = [];
    for (let sum = 0; sum < limit && index < files.length; index += 1) {
      sum += files[index]!.size;
      part.push(files[index]!.name);
    }
    return part;
  });
}
