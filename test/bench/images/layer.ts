import { spawn } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** A gzip layer in an OCI layout. */
export interface Layer {
  digest: string;
  size: number;
  diffId: string;
  unpacked: number;
}

export interface LayerRecipe {
  /** Folder that the names are relative to. */
  root: string;
  /** Names relative to `root`, in the archive's order. Absent: the whole folder, sorted. */
  names?: string[];
  /** sed expression for GNU tar's --transform. */
  transform?: string;
  /** gzip level; 6 is what build tools use. */
  level?: number;
  /** Store each hard link as a file of its own. */
  dereferenceHardLinks?: boolean;
}

/** Everything that differs from run to run is set to a constant, so that a layer always has one digest. */
const REPRODUCIBLE = ['--sort=name', '--numeric-owner', '--mtime=@1700000000', '--format=gnu'];

/** Packs files as a layer blob, streaming: the size does not matter. */
export async function writeLayer(layout: string, recipe: LayerRecipe): Promise<Layer> {
  const args = [...REPRODUCIBLE, '-C', recipe.root, '-cf', '-'];
  if (recipe.transform) args.push(`--transform=${recipe.transform}`);
  if (recipe.dereferenceHardLinks) args.push('--hard-dereference');
  if (recipe.names) args.push('--no-recursion', '--null', '--verbatim-files-from', '--files-from=-');
  else args.push('.');
  const tar = spawn('tar', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once('error', reject);
    tar.once('close', resolve);
  });
  tar.stdin.on('error', () => {});
  tar.stdin.end((recipe.names ?? []).map((name) => `${name}\0`).join(''));

  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const temporary = join(layout, `layer-${process.pid}.tmp`);
  const tarMeter = new Meter();
  const blobMeter = new Meter();
  const gzip = createGzip({ level: recipe.level ?? 6, chunkSize: 1 << 18 });
  await pipeline(tar.stdout, tarMeter, gzip, blobMeter, createWriteStream(temporary));
  const status = await ended;
  if (status !== 0) throw new Error(`tar failed with status ${status}`);
  const digest = blobMeter.digest();
  renameSync(temporary, join(blobs, digest));
  return {
    digest: `sha256:${digest}`,
    size: blobMeter.bytes,
    diffId: `sha256:${tarMeter.digest()}`,
    unpacked: tarMeter.bytes,
  };
}

/** Counts and hashes what passes. */
class Meter extends Transform {
  bytes = 0;
  readonly #hash: Hash = createHash('sha256');

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, data: Buffer) => void) {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
