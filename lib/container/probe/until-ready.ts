import { setTimeout as delay } from 'node:timers/promises';
import { throwIfAborted } from '../../base';
import { NotReadyError } from '../errors';
import type { ContainerPaths } from '../paths';
import { type Exit, readExit } from '../runtime/exit';
import type { CompleteProbe } from '../spec/lifecycle';
import type { ContainerRow } from '../table';
import { ask } from './ask';
import { subjectOf } from './prober';
import { Verdict } from './verdict';

/** A container without a probe has proved itself when it still runs so long after its start. */
const SETTLE_MS = 1_000;
/** Somebody waits: it is asked at least so often. */
const LONGEST_PAUSE_MS = 1_000;
const LOOK_MS = 100;

/**
 * Resolves when a container that has just started can do its work, by its readiness probe, else by its liveness
 * probe. It has its start period for that, and never less than a probe needs to find it unhealthy. Without a probe it
 * has to go on running for a second, or to do its work in that time and end well.
 *
 * @throws {NotReadyError} {AbortedError}
 */
export async function waitUntilReady(
  paths: ContainerPaths,
  row: ContainerRow,
  signal: AbortSignal | undefined,
): Promise<void> {
  const what = `waiting until ${row.name} is ready`;
  const probe = row.care.readiness ?? row.care.liveness;
  const start = performance.now();
  if (!probe) {
    const exit = await watchOver(paths, row, start + SETTLE_MS, signal, what);
    if (exit && !hasDoneItsWork(row, exit)) throw ended(row, exit);
    return;
  }
  const verdict = new Verdict(probe, start);
  const deadline = start + patience(probe);
  for (;;) {
    const answer = await ask(probe, subjectOf(row, paths), signal ?? new AbortController().signal);
    throwIfAborted(signal, what);
    verdict.note(answer);
    if (verdict.state === 'healthy') return;
    const now = performance.now();
    const next = now + Math.min(verdict.pause(now), LONGEST_PAUSE_MS);
    const exit = await watchOver(paths, row, Math.min(next, deadline), signal, what);
    if (exit) throw ended(row, exit);
    if (answer.outcome === 'error' || performance.now() >= deadline) {
      throw new NotReadyError(row.name, answer.detail || 'its probe did not succeed often enough in time');
    }
  }
}

function patience({ startPeriodMs, failureThreshold, intervalMs }: CompleteProbe): number {
  return Math.max(startPeriodMs, failureThreshold * intervalMs);
}

/** How it ended, if it did until then. */
async function watchOver(
  paths: ContainerPaths,
  row: ContainerRow,
  until: number,
  signal: AbortSignal | undefined,
  what: string,
): Promise<Exit | undefined> {
  for (;;) {
    throwIfAborted(signal, what);
    const exit = row.process ? await readExit(row.id, paths.of(row.id), row.process) : undefined;
    const left = until - performance.now();
    if (exit || left <= 0) return exit;
    await delay(Math.min(left, LOOK_MS), undefined, { signal }).catch(() => {});
  }
}

function hasDoneItsWork({ care }: ContainerRow, { exitCode }: Exit): boolean {
  const policy = care.restart?.policy ?? 'no';
  return exitCode === 0 && (policy === 'no' || policy === 'on-failure');
}

function ended({ name }: ContainerRow, { exitCode, reason }: Exit): NotReadyError {
  return new NotReadyError(name, `it ended with status ${exitCode ?? 'unknown'} (${reason})`);
}
