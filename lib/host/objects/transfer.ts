import { close, constants, createWriteStream, open, read, type Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import {
  type GaruaError,
  InvalidArgumentError,
  PermissionError,
  throwIfAborted,
  toGaruaError,
  withFound,
} from '../../base';

const READ_BYTES = 256 << 10;

/** How a file is opened. */
export interface FileAccess {
  signal?: AbortSignal | undefined;
  /**
   * The number of the user of another process that asks for this. Unless it is root, only files and FIFOs that belong
   * to that user are opened, for this process may open more than the user.
   */
  callerUser?: number | undefined;
}

export interface ReadOptions extends FileAccess {
  /**
   * Whether a piece may take the memory of the one before, for callers that copy it at once: new memory takes longer
   * than the reading. Default false.
   */
  reuse?: boolean | undefined;
}

/**
 * Reads a file or a FIFO. A FIFO is waited for without a thread, so that a writer that never comes holds
 * nothing up.
 */
export async function* readBytes(path: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
  const { descriptor, isPipe } = await openFile(path, constants.O_RDONLY, options);
  yield* isPipe ? readPipe(path, descriptor, options) : readFile(path, descriptor, options);
}

async function* readFile(
  path: string,
  descriptor: number,
  { signal, reuse }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  let piece = Buffer.allocUnsafeSlow(READ_BYTES);
  try {
    for (;;) {
      const { bytesRead } = await promisify(read)(descriptor, piece, 0, piece.length, null);
      throwIfAborted(signal, `reading ${path}`);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
      if (!reuse) piece = Buffer.allocUnsafeSlow(READ_BYTES);
    }
  } catch (error) {
    throw fileError(path, error);
  } finally {
    await promisify(close)(descriptor);
  }
}

async function* readPipe(
  path: string,
  descriptor: number,
  { signal }: FileAccess,
): AsyncGenerator<Uint8Array> {
  const stream = new Socket({ fd: descriptor, readable: true, writable: false });
  const onAbort = () => stream.destroy(new Error('cancelled'));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    yield* stream;
  } catch (error) {
    throwIfAborted(signal, `reading ${path}`);
    throw fileError(path, error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stream.destroy();
  }
}

/** Appends to a file or a FIFO that is there, as fast as it takes the bytes. */
export async function writeBytes(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  access: FileAccess = {},
): Promise<void> {
  const { signal } = access;
  const { descriptor, isPipe } = await openFile(path, constants.O_WRONLY | constants.O_APPEND, access);
  const stream: Writable = isPipe
    ? new Socket({ fd: descriptor, readable: false, writable: true })
    : createWriteStream('', { fd: descriptor });
  stream.on('error', () => {});
  const onAbort = () => stream.destroy(new Error('cancelled'));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const chunk of bytes) await written(stream, chunk, path);
    stream.end();
    await finished(stream);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stream.destroy();
  }
}

function written(stream: Writable, chunk: Uint8Array, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(fileError(path, error)) : resolve()));
  });
}

async function openFile(
  path: string,
  flags: number,
  { callerUser }: FileAccess,
): Promise<{ descriptor: number; isPipe: boolean }> {
  try {
    return await withFound(path, 'follow', async ({ status, handle }) => {
      checkAccess(path, status, callerUser);
      const descriptor = await promisify(open)(handle, flags | constants.O_NONBLOCK);
      return { descriptor, isPipe: status.isFIFO() };
    });
  } catch (error) {
    throw fileError(path, error);
  }
}

function checkAccess(path: string, status: Stats, callerUser = 0): void {
  if (status.isDirectory()) throw new InvalidArgumentError(`${path} is a folder`, 'Name a file.');
  if (callerUser === 0) return;
  if (status.uid === callerUser && (status.isFile() || status.isFIFO())) return;
  throw new PermissionError(
    `${path} is not a file of the user ${callerUser}, on whose behalf it would be opened`,
    'Let the bytes go through a FIFO of your own, as garua put and garua get do.',
  );
}

function fileError(path: string, error: unknown): GaruaError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new InvalidArgumentError(`there is no file ${path}`, 'Check the path.');
  if (code === 'EISDIR') return new InvalidArgumentError(`${path} is a folder`, 'Name a file.');
  return toGaruaError(error, `using ${path}`);
}
