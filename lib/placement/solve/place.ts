import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  AbortedError,
  type ErrorDocument,
  fromErrorDocument,
  InvalidArgumentError,
  throwIfAborted,
} from '../../base';
import {
  PlacementInfeasibleError,
  PlacementModelError,
  PlacementNotFoundError,
  PlacementWorkerError,
} from '../errors';
import type { PlacementAnswer, PlacementModel, PlaceOptions } from '../placement';
import type { Job, Report } from './job';
import { EXACT_SECONDS } from './solve';

/** What HiGHS may overrun its time limit by before its thread is ended. */
const GRACE_SECONDS = 5;

/**
 * Places a model's operators at its sites, in a thread of its own. The model may be given as JSON text,
 * which also leaves its parsing to that thread.
 *
 * @throws {PlacementModelError} for a model that cannot be used.
 * @throws {PlacementInfeasibleError} if it is proven that no placement holds.
 * @throws {PlacementNotFoundError} if none was found.
 * @throws {AbortedError} by `signal`.
 */
export async function place(
  model: PlacementModel | string,
  options: PlaceOptions = {},
): Promise<PlacementAnswer> {
  const { signal, onProgress } = options;
  const job = toJob(model, options);
  throwIfAborted(signal, 'the placement');
  const worker = new Worker(join(__dirname, 'worker.js'), { workerData: job, execArgv: [] });
  let onAbort: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<PlacementAnswer>((resolve, reject) => {
      let incumbent: PlacementAnswer | undefined;
      const giveUp = (error: Error) => (incumbent ? resolve(incumbent) : reject(error));
      onAbort = () => reject(new AbortedError('the placement', { cause: signal!.reason }));
      signal?.addEventListener('abort', onAbort, { once: true });
      if (job.exact) {
        const limit = (job.seconds ?? EXACT_SECONDS) + GRACE_SECONDS;
        timer = setTimeout(() => giveUp(new PlacementNotFoundError()), Math.min(limit * 1000, 2 ** 31 - 1));
      }
      worker.on('message', (report: Report) => {
        if (report.kind === 'progress') onProgress?.(report.progress);
        else if (report.kind === 'incumbent') incumbent = report.answer;
        else if (report.kind === 'answer') resolve(report.answer);
        else reject(revive(report.error));
      });
      // HiGHS may run out of memory: what annealing found still holds.
      worker.on('error', (cause) => giveUp(new PlacementWorkerError(cause.message, { cause })));
      worker.on('exit', (code) => giveUp(new PlacementWorkerError(`exit code ${code}`)));
    });
  } finally {
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

function toJob(model: PlacementModel | string, options: PlaceOptions): Job {
  const { exact = false, seed = 0, seconds, evaluations, onProgress } = options;
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new InvalidArgumentError(`seed ${seed} is not a whole number of at least 0`);
  if (seconds !== undefined && !(seconds > 0))
    throw new InvalidArgumentError(`seconds ${seconds} is not above 0`);
  if (evaluations !== undefined && !(evaluations >= 1)) {
    throw new InvalidArgumentError(`evaluations ${evaluations} is not at least 1`);
  }
  return { model, exact, seed, seconds, evaluations, wantsProgress: onProgress !== undefined };
}

/** Errors lose their class on the way out of the thread. */
function revive(document: ErrorDocument): Error {
  const { code, message, hint } = document;
  if (code === 'ERR_PLACEMENT_MODEL') return new PlacementModelError(message, hint);
  if (code === 'ERR_PLACEMENT_INFEASIBLE') return new PlacementInfeasibleError(message, hint);
  if (code === 'ERR_PLACEMENT_NOT_FOUND') return new PlacementNotFoundError(message, hint);
  return fromErrorDocument(document);
}
