import type { ImageSource } from '../image';
import type { ArchiveReference } from '../reference';
import { DockerArchiveSource } from './docker-archive-source';
import { FolderFiles } from './folder-files';
import { OciLayoutSource } from './oci-layout-source';
import { TarFiles } from './tar-files';

export * from './errors';

/**
 * Opens an image archive of this machine.
 *
 * @throws {ImageUnknownError} {ImageArchiveError} {ImageArchiveCompressedError} {AbortedError}
 */
export async function openArchive(
  { transport, path, tag }: ArchiveReference,
  signal?: AbortSignal,
): Promise<ImageSource> {
  if (transport === 'oci') return new OciLayoutSource(await FolderFiles.open(path), tag);
  const files = await TarFiles.open(path, signal);
  return transport === 'oci-archive' ? new OciLayoutSource(files, tag) : new DockerArchiveSource(files, tag);
}
