import { setTimeout as sleep } from 'node:timers/promises';
import { AbortedError, type LongCall, throwIfAborted, toGaruaError } from '../base';
import { StopFailedError } from './errors';
import type { ContainerRecord } from './lifecycle';
import { type EngineParts, JOURNAL, type JournalData } from './parts';
import { afterEnd } from './restart/policy';
import { type ProcessIdentity, signalProcess } from './runtime/process-identity';
import { stopSignalNumber } from './stop-signal';
import type { Ending } from './supervisor';
import type { ContainerRow } from './table';

export const DEFAULT_GRACE_MS = 10_000;
/** SIGKILL acts at once, unless the process hangs in the kernel, on a dead NFS server for example. */
const KILL_WAIT_MS = 10_000;
const LOOK_AGAIN_MS = 250;

/** Writes a row and tells those who watch. */
export function update(parts: EngineParts, row: ContainerRow): ContainerRow {
  parts.table.put(row);
  parts.changes.emit(row);
  return row;
}

/** The row of a container that has just begun to run. */
export function runningRow(row: ContainerRow, process: ProcessIdentity, startedAt: number): ContainerRow {
  const fresh = { exitCode: null, reason: null, finishedAt: null, restartAt: null };
  return { ...row, ...fresh, state: 'running', wanted: 'running', process, startedAt };
}

/**
 * Starts a container that is not running, with what it wrote before still there. One that was waiting for its
 * restart goes on waiting when this fails. `byPolicy`: it counts as a restart.
 */
export async function startExisting(
  parts: EngineParts,
  row: ContainerRow,
  { signal, byPolicy }: LongCall & { byPolicy?: boolean },
): Promise<ContainerRow> {
  const { journal, lifecycle } = parts;
  const entry = journal.begin<JournalData>(JOURNAL.start.kind, row.name, JOURNAL.start.begin, { id: row.id });
  try {
    const record: ContainerRecord = await lifecycle.record(row.id);
    await lifecycle.prepare(row.id, record);
    await parts.claimPorts(row.name, record.spec.ports);
    throwIfAborted(signal, `starting ${row.name}`);
    const process = await lifecycle.create(row.id, record);
    // Written before the start: after a crash this process is found again.
    parts.table.put({ ...row, state: 'created', wanted: 'running', process });
    const address = await lifecycle.connect(row.id, record, process.pid);
    const startedAt = Date.now();
    await lifecycle.start(row.id, record);
    const restarts = row.restarts + (byPolicy ? 1 : 0);
    return update(parts, runningRow({ ...row, address, restarts }, process, startedAt));
  } catch (thrown) {
    const error = toGaruaError(thrown, `starting container ${row.name}`);
    // What cannot be freed now is freed by the next start or open.
    await lifecycle.release(row.id).catch(() => {});
    update(parts, error instanceof AbortedError ? row : unstarted(row, error.message));
    throw error;
  } finally {
    journal.end(entry);
  }
}

/** The row of a container of which a start has failed. */
export function unstarted(row: ContainerRow, why: string): ContainerRow {
  const failed: ContainerRow = { ...row, exitCode: null, reason: `could not start: ${why}` };
  if (row.state === 'restarting') return afterEnd(failed, { unstarted: true });
  return { ...failed, state: 'failed', process: null, address: null };
}

/**
 * Ends a running container: its stop signal, the grace, SIGKILL. Frees what it held.
 *
 * @throws {AbortedError} while it waits; the container has its stop signal by then
 */
export async function endContainer(
  parts: EngineParts,
  row: ContainerRow,
  graceMs: number,
  signal: AbortSignal | undefined,
  ending?: Ending,
): Promise<ContainerRow> {
  const { supervisor, table, lifecycle } = parts;
  const forget = ending && supervisor.expect(row, ending);
  try {
    if (row.process && (await signalProcess(row.process, stopSignalNumber(row.stopSignal)))) {
      if (!(await waitForEnd(parts, row, graceMs, signal)) && row.process) {
        await signalProcess(row.process, 'SIGKILL');
        if (!(await waitForEnd(parts, row, KILL_WAIT_MS, undefined))) {
          throw new StopFailedError(row.name);
        }
      }
    }
    const ended = await supervisor.observe(table.byId(row.id) ?? row);
    await lifecycle.release(row.id);
    return ended;
  } finally {
    forget?.();
  }
}

/**
 * Whether the container ended within the time (milliseconds; Infinity waits for ever). `forGood`: one that waits for
 * its restart has not ended.
 */
export async function waitForEnd(
  parts: EngineParts,
  row: ContainerRow,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  forGood = false,
): Promise<boolean> {
  const goesOn = forGood ? ['running', 'created', 'restarting'] : ['running'];
  const deadline = Date.now() + timeoutMs;
  let done = new AbortController();
  const stopListening = parts.changes.listen((changed) => {
    if (changed.id === row.id) done.abort();
  });
  const onAbort = () => done.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      const current = parts.table.byId(row.id);
      if (!current) return true;
      if (!goesOn.includes((await parts.supervisor.observe(current)).state)) return true;
      throwIfAborted(signal, `waiting for ${row.name}`);
      const left = deadline - Date.now();
      if (left <= 0) return false;
      // A change wakes this early; looking again covers a conmon that was killed.
      done = done.signal.aborted ? new AbortController() : done;
      await sleep(Math.min(left, LOOK_AGAIN_MS), undefined, { signal: done.signal }).catch(() => {});
    }
  } finally {
    stopListening();
    signal?.removeEventListener('abort', onAbort);
  }
}
