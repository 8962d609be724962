import { createReadStream, fstatSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { temporaryName, toGaruaError } from '../base';
import { callWithInput, callWithOutput } from '../control';

/**
 * Lets a host read a file or, for `-`, what comes in. The file is opened here, with this user's rights: the
 * host gets the way to the open file, or, of one that it would not open for this user, the bytes.
 */
export async function withInput<T>(file: string, call: (path: string) => Promise<T>): Promise<T> {
  if (file === '-') {
    if (hostOpens(0)) return call(descriptorPath(0));
    return callWithInput(process.stdin, call);
  }
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

/** Lets a host write a file, which is seen only when it is whole, or without one write to the output. */
export async function withOutput<T>(
  file: string | undefined,
  call: (path: string) => Promise<T>,
  mode = 0o666,
): Promise<T> {
  if (file === undefined) {
    if (hostOpens(1)) return call(descriptorPath(1));
    return callWithOutput(process.stdout, call);
  }
  const temporary = temporaryName(resolve(file));
  const opened = await open(temporary, 'wx', mode).catch((error) => {
    throw toGaruaError(error, `writing ${file}`);
  });
  try {
    const result = await call(descriptorPath(opened.fd));
    await opened.sync();
    await opened.close();
    await rename(temporary, file);
    return result;
  } catch (error) {
    await opened.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Whether a host opens it for this user, or says what is wrong with it. */
function hostOpens(descriptor: number): boolean {
  const status = fstatSync(descriptor);
  const user = process.getuid?.();
  return status.isDirectory() || (status.isFile() && (user === 0 || user === status.uid));
}

/** The way for another process to a file that is open in this one; proc(5). */
function descriptorPath(descriptor: number): string {
  return `/proc/${process.pid}/fd/${descriptor}`;
}
