import type { BlobReader } from '../image';

/** The files of an image archive, however they are stored. Names are relative, with `/`, without `./`. */
export interface ArchiveFiles {
  /** The folder or file that messages name. */
  readonly path: string;
  /** Bytes of a file, or undefined when there is none of this name. */
  size(name: string): Promise<number | undefined>;
  /** The file from a byte offset on, or undefined. */
  open(name: string, offset: number, signal?: AbortSignal): Promise<BlobReader | undefined>;
  close(): Promise<void>;
}

/** A whole small file, or undefined; `tooLarge` makes the error for one over the limit. */
export async function readSmallFile(
  files: ArchiveFiles,
  name: string,
  limit: number,
  tooLarge: () => Error,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const size = await files.size(name);
  if (size === undefined) return undefined;
  if (size > limit) throw tooLarge();
  const reader = await files.open(name, 0, signal);
  if (!reader) return undefined;
  try {
    const pieces: Uint8Array[] = [];
    for (let piece = await reader.read(); piece; piece = await reader.read()) pieces.push(piece);
    return Buffer.concat(pieces);
  } finally {
    reader.close();
  }
}
