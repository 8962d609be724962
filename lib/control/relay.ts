import { randomBytes } from 'node:crypto';
import { closeSync, constants, createWriteStream, openSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { mknod } from '../base';

/**
 * Bytes do not cross the control socket. A host is given the path of a file that it opens itself, or, for
 * bytes that are in no file, of a FIFO: the kernel then holds back whoever is faster, nothing is encoded, and
 * neither side keeps more than a pipe's worth.
 */
const FIFO = 0o010600;

async function withFifo<T>(use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'garua-'));
  const path = join(folder, randomBytes(4).toString('hex'));
  try {
    mknod(path, FIFO, 0, 0);
    return await use(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes a call that reads a file read these bytes. */
export function callWithInput<T>(
  source: AsyncIterable<Uint8Array>,
  call: (path: string) => Promise<T>,
): Promise<T> {
  return withFifo(async (path) => {
    // Opening it waits for the reader.
    const sending = pipeline(source, createWriteStream(path));
    sending.catch(() => {});
    try {
      const result = await Promise.race([call(path), failureOf(sending)]);
      await sending;
      return result;
    } finally {
      // A call that never opened it would leave the opening waiting for ever.
      closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    }
  });
}

/** Makes a call that writes a file write into a stream, which stays open. */
export function callWithOutput<T>(sink: Writable, call: (path: string) => Promise<T>): Promise<T> {
  return withFifo(async (path) => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const socket = new Socket({ fd, readable: true, writable: false });
    const receiving = pipeline(socket, sink, { end: false });
    receiving.catch(() => {});
    try {
      const result = await Promise.race([call(path), failureOf(receiving)]);
      // The end only shows where there was a writer; an empty object may have had none.
      endFifo(path);
      await receiving;
      return result;
    } finally {
      socket.destroy();
    }
  });
}

function endFifo(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch (error) {
    // Nobody reads it any more: its end was seen.
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
  }
}

/** Never resolves. */
function failureOf(work: Promise<unknown>): Promise<never> {
  return new Promise((_resolve, reject) => work.catch(reject));
}
