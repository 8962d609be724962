import { randomBytes } from 'node:crypto';
import { AbortedError, type LongCall, throwIfAborted, toGaruaError } from '../base';
import type { LayerMount, StoredImage } from '../image/image';
import { ReplaceFailedError } from './errors';
import type { ContainerRecord } from './lifecycle';
import { DEFAULT_GRACE_MS, endContainer, runningRow } from './operations';
import { type EngineParts, JOURNAL, type JournalData } from './parts';
import { imageHealthcheck } from './probe/healthcheck';
import { waitUntilReady } from './probe/until-ready';
import { bringBack, mayRunBeside, noteRollBack, retire } from './replacement';
import type { ProcessIdentity } from './runtime/process-identity';
import type { CompleteSpec } from './spec/complete';
import { serviceOf } from './spec/service';
import type { Care, ContainerRow } from './table';

export interface DeployRequest {
  spec: CompleteSpec;
  image: StoredImage;
  layers: LayerMount[];
  specDigest: string;
}

/**
 * Makes a container, in place of `old` where there is one. The new one is complete up to its waiting first process
 * before the old one is touched. A running one is replaced only by one that is ready: where both can run at the same
 * time it is stopped after that, else before and started again if the new one fails.
 */
export async function deployContainer(
  parts: EngineParts,
  request: DeployRequest,
  old: ContainerRow | undefined,
  options: LongCall,
): Promise<ContainerRow> {
  const { journal, lifecycle, prober } = parts;
  const { spec, image, layers } = request;
  const { signal } = options;
  const id = randomBytes(8).toString('hex');
  const record: ContainerRecord = {
    spec,
    image: { ref: image.ref, digest: image.digest, config: image.config },
    layers,
  };
  const entry = journal.begin<JournalData>(JOURNAL.deploy.kind, spec.name, JOURNAL.deploy.prepare, { id });
  const replaced = old?.state === 'running' ? old : undefined;
  const total = replaced ? 4 : 3;
  const proceed = (phase: string, done: number) => {
    throwIfAborted(signal, `deploying ${spec.name}`);
    options.onProgress?.({ phase, done, total, unit: 'steps' });
  };

  const publishes = spec.ports.length > 0 || (replaced?.ports.length ?? 0) > 0;
  let stopped = false;
  const fail = async (thrown: unknown) => {
    const error = toGaruaError(thrown, `deploying container ${spec.name}`);
    // What cannot be taken away now stays in the journal, and goes at the next start.
    const undone = await succeeds(() => lifecycle.discard(id));
    const restored = old && stopped && (await parts.atPorts(publishes, () => bringBack(parts, old)));
    if (undone) await succeeds(() => journal.end(entry));
    if (old) await succeeds(() => noteRollBack(parts, old, error));
    if (!replaced || process === undefined || error instanceof AbortedError) return error;
    return new ReplaceFailedError(spec.name, error, stopped ? (restored ? 'restored' : 'lost') : 'kept');
  };

  let process: ProcessIdentity | undefined;
  const begin = async () => {
    proceed('preparing', 0);
    await parts.claimPorts(spec.name, spec.ports);
    await lifecycle.keep(id, record);
    await lifecycle.prepare(id, record);
    throwIfAborted(signal, `deploying ${spec.name}`);
    process = await lifecycle.create(id, record);
    if (replaced && !(await canRunBeside(parts, replaced, spec))) {
      proceed('replacing', 1);
      journal.advance(entry, JOURNAL.deploy.switch);
      stopped = true;
      await endContainer(parts, replaced, DEFAULT_GRACE_MS, undefined, { replaced: true });
    }
    proceed('starting', 2);
    const address = await lifecycle.connect(id, record, process.pid);
    const startedAt = Date.now();
    await lifecycle.start(id, record);
    return runningRow({ ...firstRow(id, request), address }, process, startedAt);
  };
  let row: ContainerRow;
  let retired: number | undefined;
  try {
    row = await parts.atPorts(publishes, begin);
    // Nobody else waits for its readiness: its ports are taken by now.
    if (replaced) {
      proceed('waiting until ready', 3);
      await waitUntilReady(parts.paths, row, signal);
    }
    retired = recordDeployment(parts, entry, row, old);
  } catch (thrown) {
    throw await fail(thrown);
  }

  if (replaced) prober.known(row);
  parts.changes.emit(row);
  if (old && retired !== undefined) {
    // The new one runs; what remains of the old one goes at the next start at the latest.
    if (await succeeds(() => retire(parts, old))) await succeeds(() => journal.end(retired!));
  }
  return row;
}

async function canRunBeside(parts: EngineParts, old: ContainerRow, spec: CompleteSpec): Promise<boolean> {
  const record = await parts.lifecycle.record(old.id).catch(() => undefined);
  return record !== undefined && mayRunBeside(record.spec, spec);
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

/** The row of a container that is about to be made. */
export function firstRow(
  id: string,
  {
    spec,
    image,
    specDigest,
  }: Pick<DeployRequest, 'spec' | 'specDigest'> & {
    image: Pick<StoredImage, 'ref' | 'digest' | 'config'>;
  },
): ContainerRow {
  const { network, restart, readiness } = spec;
  const liveness = spec.liveness ?? imageHealthcheck(image.config.config);
  const care: Care = { network };
  if (restart) care.restart = restart;
  if (liveness) care.liveness = liveness;
  if (readiness) care.readiness = readiness;
  const service = serviceOf(spec, image.config);
  if (service) care.service = service;
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
    care,
    restarts: 0,
    attempts: 0,
    restartAt: null,
    address: null,
    rolledBack: null,
    moving: null,
    writtenIn: null,
  };
}
