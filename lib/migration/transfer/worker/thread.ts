/** A thread of a transfer: runs jobs one after another in the order in which they come. */
import { parentPort, type TransferListItem } from 'node:worker_threads';
import { toGaruaError } from '../../../base';
import { JOBS } from './jobs';
import type { JobReply, JobRequest } from './messages';

const port = parentPort!;

port.on('message', ({ job, parameters }: JobRequest) => {
  try {
    const result = (JOBS[job] as (...all: unknown[]) => unknown)(...parameters);
    const bytes = (result as { bytes?: Uint8Array } | undefined)?.bytes;
    const moved: TransferListItem[] = bytes ? [bytes.buffer as ArrayBuffer] : [];
    port.postMessage({ result } satisfies JobReply, moved);
  } catch (error) {
    port.postMessage({ error: toGaruaError(error, 'the transfer').toJSON() } satisfies JobReply);
  }
});
