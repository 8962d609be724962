import { randomBytes } from 'node:crypto';
import { type LongCall, throwIfAborted, toGaruaError } from '../base';
import type { LayerMount, StoredImage } from '../image/image';
import { ReplaceFailedError } from './errors';
import type { ContainerRecord } from './lifecycle';
import { checkPortsFree } from './network/ports';
import { DEFAULT_GRACE_MS, endContainer, runningRow, startExisting, update } from './operations';
import { type EngineParts, JOURNAL, type JournalData } from './parts';
import type { ProcessIdentity } from './runtime/process-identity';
import type { CompleteSpec } from './spec/complete';
import type { ContainerRow } from './table';

export interface DeployRequest {
  spec: CompleteSpec;
  image: StoredImage;
  layers: LayerMount[];
  specDigest: string;
}

/**
 * Makes a container, in place of `old` where there is one. The new one is complete up to its waiting first
 * process before the old one is stopped; if it then still fails, the old one is started again.
 */
export async function deployContainer(
  parts: EngineParts,
  request: DeployRequest,
  old: ContainerRow | undefined,
  options: LongCall,
): Promise<ContainerRow> {
  const { journal, lifecycle, table } = parts;
  const { spec, image, layers } = request;
  const { signal } = options;
  const id = randomBytes(8).toString('hex');
  const record: ContainerRecord = { spec, image: { digest: image.digest, config: image.config }, layers };
  const entry = journal.begin<JournalData>(JOURNAL.deploy.kind, spec.name, JOURNAL.deploy.prepare, { id });
  const report = (phase: string, done: number) =>
    options.onProgress?.({ phase, done, total: 3, unit: 'steps' });

  let leftover = false;
  const undo = async (thrown: unknown) => {
    // What cannot be taken away now stays in the journal, and goes at the next start.
    leftover = !(await succeeds(() => lifecycle.discard(id)));
    return toGaruaError(thrown, `deploying container ${spec.name}`);
  };
  const endUndone = async () => {
    if (!leftover) await succeeds(() => journal.end(entry));
  };
  let process: ProcessIdentity;
  try {
    report('preparing', 0);
    throwIfAborted(signal, `deploying ${spec.name}`);
    await checkPortsFree(spec.name, spec.ports, table.all());
    await lifecycle.keep(id, record);
    await lifecycle.prepare(id, record);
    throwIfAborted(signal, `deploying ${spec.name}`);
    process = await lifecycle.create(id, record);
    throwIfAborted(signal, `deploying ${spec.name}`);
  } catch (thrown) {
    const error = await undo(thrown);
    await endUndone();
    throw error;
  }

  let row: ContainerRow;
  let retired: number | undefined;
  const interrupts = old?.state === 'running';
  try {
    if (old && interrupts) {
      report('replacing', 1);
      journal.advance(entry, JOURNAL.deploy.switch);
      await endContainer(parts, old, DEFAULT_GRACE_MS, undefined);
    }
    report('starting', 2);
    await lifecycle.connect(id, record, process.pid);
    const startedAt = Date.now();
    await lifecycle.start(id, record);
    row = runningRow(firstRow(id, request), process, startedAt);
    retired = recordDeployment(parts, entry, row, old);
  } catch (thrown) {
    const error = await undo(thrown);
    const restored = old && interrupts ? await bringBack(parts, old) : undefined;
    await endUndone();
    throw restored === undefined ? error : new ReplaceFailedError(spec.name, error, restored);
  }

  parts.changes.emit(row);
  if (old && retired !== undefined) {
    const { id } = old;
    // The new one runs; what remains of the old one goes at the next start at the latest.
    if (await succeeds(() => lifecycle.discard(id))) await succeeds(() => journal.end(retired!));
  }
  return row;
}

/** Puts the new container in the old one's place; answers the journal entry for what remains of the old one. */
function recordDeployment(
  { journal, table }: EngineParts,
  deployment: number,
  row: ContainerRow,
  old: ContainerRow | undefined,
): number | undefined {
  let retired: number | undefined;
  table.transaction(() => {
    if (old) {
      table.delete(old.id);
      const { kind, begin } = JOURNAL.discard;
      retired = journal.begin<JournalData>(kind, old.name, begin, { id: old.id });
    }
    table.put(row);
    journal.end(deployment);
  });
  return retired;
}

async function succeeds(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}

/** Starts a container again that was stopped for one that failed; false when that fails too. */
export async function bringBack(parts: EngineParts, old: ContainerRow): Promise<boolean> {
  const current = parts.table.byId(old.id);
  if (!current) return false;
  if (current.state === 'running') return true;
  try {
    await startExisting(parts, current, {});
    return true;
  } catch {
    // Its row says why it could not start.
    return false;
  }
}

/** Takes a container and all that it wrote away. */
export async function removeContainer(parts: EngineParts, row: ContainerRow): Promise<void> {
  const { journal, lifecycle, table } = parts;
  let entry: number | undefined;
  table.transaction(() => {
    entry = journal.begin<JournalData>(JOURNAL.discard.kind, row.name, JOURNAL.discard.begin, { id: row.id });
    table.delete(row.id);
  });
  await lifecycle.discard(row.id);
  journal.end(entry!);
}

/** Stops it on the user's wish, which is remembered: it is not to come back by itself. */
export async function stopContainer(
  parts: EngineParts,
  row: ContainerRow,
  graceMs: number,
  signal: AbortSignal | undefined,
): Promise<ContainerRow> {
  if (row.state !== 'running')
    return row.wanted === 'stopped' ? row : update(parts, { ...row, wanted: 'stopped' });
  const wanted: ContainerRow = { ...row, wanted: 'stopped' };
  parts.table.put(wanted);
  return endContainer(parts, wanted, graceMs, signal);
}

function firstRow(id: string, { spec, image, specDigest }: DeployRequest): ContainerRow {
  return {
    id,
    name: spec.name,
    image: image.ref,
    imageDigest: image.digest,
    specDigest,
    stopSignal: image.config.config?.StopSignal ?? 'SIGTERM',
    ports: spec.ports,
    wanted: 'running',
    state: 'created',
    process: null,
    exitCode: null,
    reason: null,
    startedAt: null,
    finishedAt: null,
  };
}
