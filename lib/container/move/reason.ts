import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AbortedError, GaruaError, ToolFailedError, ToolTimeoutError } from '../../base';
import { CreateRefused } from '../runtime/conmon';
import { runcMessage } from '../runtime/failure';
import { CheckpointFailedError, CheckpointTimeoutError, RestoreFailedError } from './errors';

/** Lines of CRIU's log such as `(00.012345) Error (criu/sk-unix.c:837): unix: Can't dump half of ...`. */
const ERROR = /\bError \([^)]*\): (.+)$/gm;

/** It would like to open more files than it may, and goes on without. */
const HARMLESS = /^rlimit: Can't setup RLIMIT_NOFILE/;

/** What CRIU says was wrong: of its errors the first tells the cause, those after it only that all has failed. */
async function criuReason(folder: string, log: 'dump.log' | 'restore.log'): Promise<string | undefined> {
  const text = await readFile(join(folder, log), 'utf8').catch(() => '');
  const errors = [...text.matchAll(ERROR)].map(([, error]) => error!.trim());
  return errors.find((error) => !HARMLESS.test(error));
}

/** Turns what a checkpoint threw into what it means. `work`: where CRIU wrote its log. */
export async function checkpointFailure(name: string, error: unknown, work: string): Promise<GaruaError> {
  if (error instanceof AbortedError) return error;
  if (error instanceof ToolTimeoutError) {
    return new CheckpointTimeoutError(`the checkpoint of container ${name}`, error.timeoutMs, {
      cause: error,
    });
  }
  if (error instanceof GaruaError && !(error instanceof ToolFailedError)) return error;
  const said = error instanceof ToolFailedError ? runcMessage(error.stderr) : (error as Error).message;
  const reason = noCriu(said) ?? (await criuReason(work, 'dump.log')) ?? said;
  return new CheckpointFailedError(name, reason, { cause: error });
}

/** The same for a restore. */
export async function restoreFailure(name: string, error: unknown, work: string): Promise<GaruaError> {
  if (error instanceof AbortedError) return error;
  if (error instanceof ToolTimeoutError) {
    return new CheckpointTimeoutError(`the restore of container ${name}`, error.timeoutMs, { cause: error });
  }
  if (error instanceof GaruaError) return error;
  const said = error instanceof CreateRefused ? runcMessage(error.message) : (error as Error).message;
  const reason = noCriu(said) ?? (await criuReason(work, 'restore.log')) ?? said;
  return new RestoreFailedError(name, reason, { cause: error });
}

/** runc's word for it is about a version. */
function noCriu(said: string): string | undefined {
  return /criu version check failed|exec: "criu": executable file not found/.test(said)
    ? `CRIU is not installed or does not run (${said})`
    : undefined;
}
