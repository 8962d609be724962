import type { BlobReader, Descriptor } from '../image';
import { BlobTooLongError } from '../manifest';
import type { ArchiveFiles } from './archive-files';
import { ImageArchiveError } from './errors';

/**
 * Opens the file that should hold a blob; undefined when it is not there.
 *
 * @throws {BlobTooLongError} {ImageArchiveError} when the file has another length than the blob.
 */
export async function openBlobFile(
  files: ArchiveFiles,
  name: string,
  { digest, size }: Descriptor,
  offset: number,
  signal?: AbortSignal,
): Promise<BlobReader | undefined> {
  const actual = await files.size(name);
  if (actual === undefined) return undefined;
  if (actual > size) throw new BlobTooLongError(`blob ${digest} in ${files.path}`, size);
  if (actual < size) {
    throw new ImageArchiveError(files.path, `blob ${digest} has only ${actual} of ${size} bytes`);
  }
  return files.open(name, offset, signal);
}
