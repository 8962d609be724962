import { type FileHandle, open } from 'node:fs/promises';
import koffi from 'koffi';

const syncfs = koffi.load(null).func('syncfs', 'int', ['int']);

/**
 * Writes all dirty data of the file system that holds `path` to the disk, on a thread of koffi's own: on an
 * SD card that may take many seconds.
 */
export async function syncFileSystem(path: string): Promise<void> {
  const folder: FileHandle = await open(path, 'r');
  try {
    await new Promise<void>((resolve, reject) => {
      syncfs.async(folder.fd, (error: Error | null, result: number) => {
        if (error) reject(error);
        else if (result === 0) resolve();
        else reject(syncError(koffi.errno(), path));
      });
    });
  } finally {
    await folder.close();
  }
}

function syncError(errno: number, path: string): NodeJS.ErrnoException {
  const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? 'EIO';
  return Object.assign(new Error(`${code}: syncfs '${path}'`), {
    errno: -errno,
    code,
    syscall: 'syncfs',
    path,
  });
}
