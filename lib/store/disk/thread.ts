/** A disk thread: runs jobs in the order in which they come. */
import { parentPort, type TransferListItem } from 'node:worker_threads';
import { GaruaError } from '../../base';
import { BlockMismatchError, ObjectCorruptError } from '../errors';
import { JOBS } from './jobs';
import type { DiskReply, DiskRequest } from './messages';

const port = parentPort!;

port.on('message', ({ job, parameters }: DiskRequest) => {
  try {
    const result = (JOBS[job] as (...all: unknown[]) => unknown)(...parameters);
    port.postMessage({ result } satisfies DiskReply, transferable(result));
  } catch (error) {
    port.postMessage({ failure: failureOf(error) } satisfies DiskReply);
  }
  for (const parameter of parameters) if (parameter instanceof Uint8Array) release(parameter);
});

/** Bytes that came are this thread's own: their memory goes at once, not when the collector thinks of it. */
function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Bytes move to the other thread without being copied. */
function transferable(result: unknown): TransferListItem[] {
  const all = Array.isArray(result) ? result : [result];
  const buffers = all.filter((item) => item instanceof Uint8Array).map(({ buffer }) => buffer as ArrayBuffer);
  return [...new Set(buffers)];
}

function failureOf(error: unknown): DiskReply['failure'] {
  const { code, message, path } = error as NodeJS.ErrnoException;
  const known = error instanceof GaruaError ? error.toJSON() : undefined;
  const named = error instanceof ObjectCorruptError || error instanceof BlockMismatchError;
  const leaf = named ? error.leaf : undefined;
  return { code: code ?? 'EUNKNOWN', message, path, known, leaf };
}
