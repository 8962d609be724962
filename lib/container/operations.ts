import { setTimeout as sleep } from 'node:timers/promises';
import { AbortedError, type LongCall, throwIfAborted, toGaruaError } from '../base';
import { StopFailedError } from './errors';
import type { ContainerRecord } from './lifecycle';
import { checkPortsFree } from './network/ports';
import { type EngineParts, JOURNAL, type JournalData } from './parts';
import { type ProcessIdentity, signalProcess } from './runtime/process-identity';
import { stopSignalNumber } from './stop-signal';
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
  const fresh = { exitCode: null, reason: null, finishedAt: null };
  return { ...row, ...fresh, state: 'running', wanted: 'running', process, startedAt };
}

/** Starts a container that is not running, with what it wrote before still there. */
export async function startExisting(
  parts: EngineParts,
  row: ContainerRow,
  { signal }: LongCall,
): Promise<ContainerRow> {
  const { journal, lifecycle } = parts;
  const entry = journal.begin<JournalData>(JOURNAL.start.kind, row.name, JOURNAL.start.begin, { id: row.id });
  try {
    const record: ContainerRecord = await lifecycle.record(row.id);
    await lifecycle.prepare(row.id, record);
    await checkPortsFree(row.name, record.spec.ports, parts.table.all());
    throwIfAborted(signal, `starting ${row.name}`);
    const process = await lifecycle.create(row.id, record);
    // Written before the start: after a crash this process is found again.
    parts.table.put({ ...row, state: 'created', wanted: 'running', process });
    await lifecycle.connect(row.id, record, process.pid);
    const startedAt = Date.now();
    await lifecycle.start(row.id, record);
    return update(parts, runningRow(row, process, startedAt));
  } catch (thrown) {
    const error = toGaruaError(thrown, `starting container ${row.name}`);
    await lifecycle.release(row.id);
    const aborted = error instanceof AbortedError;
    update(
      parts,
      aborted ? row : { ...row, state: 'failed', process: null, reason: `could not start: ${error.message}` },
    );
    throw error;
  } finally {
    journal.end(entry);
  }
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
): Promise<ContainerRow> {
  if (row.process && (await signalProcess(row.process, stopSignalNumber(row.stopSignal)))) {
    if (!(await waitForEnd(parts, row, graceMs, signal)) && row.process) {
      await signalProcess(row.process, 'SIGKILL');
      if (!(await waitForEnd(parts, row, KILL_WAIT_MS, undefined))) {
        throw new StopFailedError(row.name);
      }
    }
  }
  const ended = await parts.supervisor.observe(parts.table.byId(row.id) ?? row);
  await parts.lifecycle.release(row.id);
  return ended;
}

/** Whether the container ended within the time (milliseconds; Infinity waits for ever). */
export async function waitForEnd(
  parts: EngineParts,
  row: ContainerRow,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
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
      if ((await parts.supervisor.observe(current)).state !== 'running') return true;
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
