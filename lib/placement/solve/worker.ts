import { parentPort, workerData } from 'node:worker_threads';
import { GaruaError, toGaruaError } from '../../base';
import type { Job, Report } from './job';
import { solve } from './solve';

/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 100;

const job = workerData as Job;
const report = (message: Report) => parentPort!.postMessage(message);

let reported = 0;
solve(job, {
  onProgress: job.wantsProgress
    ? (progress) => {
        const now = performance.now();
        if (now - reported < REPORT_EVERY) return;
        reported = now;
        report({ kind: 'progress', progress });
      }
    : undefined,
  onIncumbent: (answer) => report({ kind: 'incumbent', answer }),
}).then(
  (answer) => report({ kind: 'answer', answer }),
  (error) => {
    // An error that nobody raised on purpose ends the thread and shows its stack.
    if (!(error instanceof GaruaError)) throw error;
    report({ kind: 'failure', error: toGaruaError(error).toJSON() });
  },
);
