import { closeSync, constants, createReadStream, createWriteStream, fstat, open } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { type GaruaError, InvalidArgumentError, throwIfAborted, toGaruaError } from '../../base';

const READ_BYTES = 1 << 20;

/**
 * Reads a file or a FIFO. A FIFO is waited for without a thread, so that a writer that never comes holds
 * nothing up.
 */
export async function* readBytes(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { descriptor, isPipe } = await openFile(path, constants.O_RDONLY);
  const stream: Readable = isPipe
    ? new Socket({ fd: descriptor, readable: true, writable: false })
    : createReadStream('', { fd: descriptor, highWaterMark: READ_BYTES });
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
  signal?: AbortSignal,
): Promise<void> {
  const { descriptor, isPipe } = await openFile(path, constants.O_WRONLY | constants.O_APPEND);
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

async function openFile(path: string, flags: number): Promise<{ descriptor: number; isPipe: boolean }> {
  try {
    const descriptor = await promisify(open)(path, flags | constants.O_NONBLOCK);
    const facts = await promisify(fstat)(descriptor);
    if (!facts.isDirectory()) return { descriptor, isPipe: facts.isFIFO() };
    closeSync(descriptor);
  } catch (error) {
    throw fileError(path, error);
  }
  throw new InvalidArgumentError(`${path} is a folder`, 'Name a file.');
}

function fileError(path: string, error: unknown): GaruaError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new InvalidArgumentError(`there is no file ${path}`, 'Check the path.');
  if (code === 'EISDIR') return new InvalidArgumentError(`${path} is a folder`, 'Name a file.');
  return toGaruaError(error, `using ${path}`);
}
