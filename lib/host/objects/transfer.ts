import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Socket } from 'node:net';
import { GaruaError, InvalidArgumentError, toGaruaError } from '../../base';

const READ_BYTES = 1 << 20;

/**
 * Reads a file or a FIFO. A FIFO is waited for without a thread, so that a writer that never comes holds
 * nothing up.
 */
export async function* readBytes(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFIFO()) {
    const socket = pipeOf(file, 'read', signal);
    try {
      for await (const chunk of socket) yield chunk as Buffer;
    } finally {
      socket.destroy();
      await closeQuietly(file);
    }
    return;
  }
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(READ_BYTES));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw fileError(path, error);
  } finally {
    await file.close();
  }
}

/** Appends to a file or a FIFO that is there, as fast as it takes the bytes. */
export async function writeBytes(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const file = await openFile(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  if ((await file.stat()).isFIFO()) {
    const socket = pipeOf(file, 'write', signal);
    try {
      for await (const chunk of bytes) await written(socket, chunk);
    } finally {
      await new Promise<void>((resolve) => socket.once('close', () => resolve()).end());
      await closeQuietly(file);
    }
    return;
  }
  try {
    for await (const chunk of bytes) {
      for (let done = 0; done < chunk.length; ) {
        done += (await file.write(chunk, done)).bytesWritten;
      }
    }
  } catch (error) {
    throw error instanceof GaruaError ? error : fileError(path, error);
  } finally {
    await file.close();
  }
}

/** The socket takes the descriptor over; the handle only keeps Node from closing it before. */
function pipeOf(file: FileHandle, use: 'read' | 'write', signal: AbortSignal | undefined): Socket {
  const socket = new Socket({ fd: file.fd, readable: use === 'read', writable: use === 'write', signal: signal! });
  socket.on('error', () => {});
  return socket;
}

function written(socket: Socket, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(chunk, (error) => (error ? reject(fileError('the reader', error)) : resolve()));
  });
}

async function closeQuietly(file: FileHandle): Promise<void> {
  await file.close().catch(() => {});
}

async function openFile(path: string, flags: number): Promise<FileHandle> {
  try {
    const file = await open(path, flags);
    if ((await file.stat()).isDirectory()) {
      await file.close();
      throw new InvalidArgumentError(`${path} is a folder`, 'Name a file.');
    }
    return file;
  } catch (error) {
    throw error instanceof GaruaError ? error : fileError(path, error);
  }
}

function fileError(path: string, error: unknown): GaruaError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new InvalidArgumentError(`there is no file ${path}`, 'Check the path.');
  if (code === 'EISDIR') return new InvalidArgumentError(`${path} is a folder`, 'Name a file.');
  return toGaruaError(error, `using ${path}`);
}
