import { createReadStream, fstatSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { temporaryName, toGaruaError } from '../base';
import { callWithInput } from './relay';

/**
 * Lets a host read a file. The file is opened here, with this process's rights: the host gets the way to the open
 * file, or, of one that it would not open for this user, the bytes.
 */
export async function callWithInputFile<T>(file: string, call: (path: string) => Promise<T>): Promise<T> {
  const opened = await open(file, 'r').catch((error) => {
    throw toGaruaError(error, `reading ${file}`);
  });
  try {
    if (hostOpens(opened.fd)) return await call(descriptorPath(opened.fd));
    return await callWithInput(createReadStream('', { fd: opened.fd, autoClose: false }), call);
  } finally {
    await opened.close();
  }
}

/** Lets a host write a file, which is seen only when it is whole and durable. */
export async function callWithOutputFile<T>(
  file: string,
  call: (path: string) => Promise<T>,
  mode = 0o666,
): Promise<T> {
  const temporary = temporaryName(resolve(file));
  let opened: FileHandle | undefined = await open(temporary, 'wx', mode).catch((error) => {
    throw toGaruaError(error, `writing ${file}`);
  });
  try {
    const result = await call(descriptorPath(opened.fd));
    await opened.sync();
    await opened.close();
    opened = undefined;
    await rename(temporary, file);
    return result;
  } catch (error) {
    await opened?.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whether a host opens it for this user, or says what is wrong with it. */
export function hostOpens(descriptor: number): boolean {
  const status = fstatSync(descriptor);
  const user = process.getuid?.();
  return status.isDirectory() || (status.isFile() && (user === 0 || user === status.uid));
}

/** The way for another process to a file that is open in this one; proc(5). */
export function descriptorPath(descriptor: number): string {
  return `/proc/${process.pid}/fd/${descriptor}`;
}
