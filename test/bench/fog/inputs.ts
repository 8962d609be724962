import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Size {
  name: string;
  bytes: number;
}

/** Of the objects in the paper's table. */
export const SIZES: Size[] = [
  { name: '256 KB', bytes: 256_000 },
  { name: '1 MB', bytes: 1_000_000 },
  { name: '10 MB', bytes: 10_000_000 },
];

/** A new file that nobody has seen before, on disk: who makes his own durable has not to wait for this one's. */
export function writeInput(folder: string, name: string, bytes: number): string {
  const file = join(folder, name);
  writeFileSync(file, randomBytes(bytes), { flush: true });
  return file;
}
