import { rmSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { GaruaError } from '../../base';
import type { Job, JobFailure, JobReply, JobResult } from './job';
import { pump } from './pump';

// The program of the pipeline's threads. Jobs come in order and run one at a time.
let last: Promise<void> = Promise.resolve();

parentPort!.on('message', (job: Job) => {
  last = last.then(() => answer(job));
});
parentPort!.postMessage('loaded');

async function answer(job: Job): Promise<void> {
  let reply: JobReply;
  try {
    reply = { result: await run(job) };
  } catch (error) {
    reply = { failure: describe(error) };
  }
  parentPort!.postMessage(reply);
}

async function run(job: Job): Promise<JobResult> {
  if (job.kind === 'pump') return pump(job);
  for (const path of job.paths) rmSync(path, { recursive: true, force: true });
  return { bytes: 0 };
}

function describe(error: unknown): JobFailure {
  const { name, message, stack, code, path, hint } = error as NodeJS.ErrnoException & Partial<GaruaError>;
  const failure: JobFailure = { name: name ?? 'Error', message: message ?? String(error) };
  if (code !== undefined) failure.code = code;
  if (stack !== undefined) failure.stack = stack;
  if (path !== undefined) failure.path = String(path);
  if (error instanceof GaruaError && hint !== undefined) failure.hint = hint;
  return failure;
}
