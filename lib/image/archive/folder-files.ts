import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toGaruaError } from '../../base';
import type { BlobReader } from '../image';
import { ImageUnknownError } from '../manifest';
import type { ArchiveFiles } from './archive-files';
import { ImageArchiveError } from './errors';
import { FileReader } from './file-reader';

/** An image archive that is a folder. */
export class FolderFiles implements ArchiveFiles {
  private constructor(readonly path: string) {}

  /** @throws {ImageUnknownError} {ImageArchiveError} */
  static async open(path: string): Promise<FolderFiles> {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw toGaruaError(error, `opening ${path}`);
      throw new ImageUnknownError(`there is no folder ${path}`, 'Check the path of the OCI image layout.');
    });
    if (!found.isDirectory()) {
      throw new ImageArchiveError(path, 'it is not a folder', 'For a tar file, write oci-archive:FILE.');
    }
    return new FolderFiles(path);
  }

  async size(name: string): Promise<number | undefined> {
    const file = await this.#open(name);
    if (!file) return undefined;
    try {
      return (await file.stat()).size;
    } finally {
      await file.close();
    }
  }

  async open(name: string, offset: number, signal?: AbortSignal): Promise<BlobReader | undefined> {
    const file = await this.#open(name);
    if (!file) return undefined;
    const { size } = await file.stat();
    return new FileReader(join(this.path, name), file, offset, size, signal, () => void file.close());
  }

  async close(): Promise<void> {}

  async #open(name: string): Promise<FileHandle | undefined> {
    const path = join(this.path, name);
    try {
      // Without O_NONBLOCK a named pipe would hold a thread until somebody writes to it.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      if ((await file.stat()).isFile()) return file;
      await file.close();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw toGaruaError(error, `reading ${path}`);
    }
    throw new ImageArchiveError(path, 'it is not a regular file');
  }
}
