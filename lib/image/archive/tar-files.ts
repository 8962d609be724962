import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { toGaruaError } from '../../base';
import type { BlobReader } from '../image';
import { ImageUnknownError } from '../manifest';
import type { ArchiveFiles } from './archive-files';
import { ImageArchiveError } from './errors';
import { FileReader } from './file-reader';
import { findMember, indexTar, type TarMember } from './tar-index';

/** An image archive that is a tar file. */
export class TarFiles implements ArchiveFiles {
  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    private readonly members: Map<string, TarMember>,
  ) {}

  /** @throws {ImageUnknownError} {ImageArchiveError} {ImageArchiveCompressedError} {AbortedError} */
  static async open(path: string, signal?: AbortSignal): Promise<TarFiles> {
    let file: FileHandle;
    try {
      file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw toGaruaError(error, `opening ${path}`);
      throw new ImageUnknownError(`there is no file ${path}`, 'Check the path of the archive.');
    }
    try {
      if (!(await file.stat()).isFile()) {
        throw new ImageArchiveError(path, 'it is not a regular file', 'For a folder, write oci:DIR.');
      }
      return new TarFiles(path, file, await indexTar(path, file, signal));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async size(name: string): Promise<number | undefined> {
    return findMember(this.members, name)?.size;
  }

  async open(name: string, offset: number, signal?: AbortSignal): Promise<BlobReader | undefined> {
    const member = findMember(this.members, name);
    if (!member) return undefined;
    const end = member.offset + member.size;
    return new FileReader(this.path, this.file, member.offset + offset, end, signal);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
