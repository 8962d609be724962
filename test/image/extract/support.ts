import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExtractSummary, LayerExtractor, type LayerExtractorOptions } from '../../../lib/image/extract';
import { type TarEntryOptions, tarArchive } from '../../support/tar';

export interface Extracted {
  /** The folder of the layer. */
  root: string;
  summary: ExtractSummary;
}

/** The ways of cutting an archive into pieces that every case has to survive. */
const PIECES: [name: string, size: number][] = [
  ['in 1-byte pieces', 1],
  ['in 511-byte pieces', 511],
  ['in one piece', Number.POSITIVE_INFINITY],
];

/** What stands in the files outside of the root that a breakout would change. */
export const BAIT = 'outside';

/** Runs a body for each way of feeding, with a function that extracts into a fresh folder. */
export function inAllPieces(
  title: string,
  body: (extract: (archive: Buffer | (TarEntryOptions | Buffer)[]) => Extracted) => void,
  options: LayerExtractorOptions = {},
): void {
  for (const [name, size] of PIECES) {
    it(`${title} (${name})`, () => {
      withFolder((folder) => {
        body((archive) => {
          const root = makeRoot(folder);
          const bytes = Buffer.isBuffer(archive) ? archive : tarArchive(archive);
          return { root, summary: extractInto(root, bytes, size, options) };
        });
      });
    });
  }
}

/** Gives a temporary folder, and removes it. */
export function withFolder<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'garua-extract-'));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Feeds an archive from one buffer that is overwritten after each piece, as a ring does. */
export function extractInto(
  root: string,
  archive: Buffer,
  size = Number.POSITIVE_INFINITY,
  options: LayerExtractorOptions = {},
): ExtractSummary {
  const extractor = new LayerExtractor(root, options);
  const ring = new Uint8Array(new SharedArrayBuffer(Math.min(size, Math.max(1, archive.length))));
  try {
    for (let offset = 0; offset < archive.length; offset += ring.length) {
      const piece = archive.subarray(offset, offset + ring.length);
      ring.set(piece);
      extractor.write(ring.subarray(0, piece.length));
      ring.fill(0xee);
    }
    return extractor.end();
  } finally {
    extractor.close();
  }
}

/** A root in `folder`, with bait beside it where breakouts would land. */
export function makeRoot(folder: string): string {
  mkdirSync(join(folder, 'garua-etc'), { recursive: true });
  for (const name of ['passwd', 'unbroken', 'emptied']) writeFileSync(join(folder, 'garua-etc', name), BAIT);
  return mkdtempSync(join(folder, 'root-'));
}
