import { readdir } from 'node:fs/promises';
import { currentBootId } from '../base';
import { findAgain } from './lost-index';
import { attachedAddress } from './network/bridge';
import { cleanNetwork } from './network/leftovers';
import { DEFAULT_GRACE_MS, endContainer, runningRow, unstarted, update } from './operations';
import { mountPointsBelow, unmountRoot } from './overlay';
import { type EngineParts, JOURNAL, type JournalData } from './parts';
import { bringBack } from './replacement';
import { returnsAfterBoot } from './restart/policy';
import { resumeUnhealthy } from './restart/unhealthy';
import { isAlive } from './runtime/process-identity';
import type { ContainerRow } from './table';

/** One container that cannot be repaired now, for a tool is missing, must not keep the others from being seen. */
async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  return work().then(
    () => true,
    () => false,
  );
}

/**
 * Brings everything into order that an earlier process left behind when it ended: changes half done are
 * finished or rolled back, containers that run are found again, what belongs to no container is removed.
 */
export async function repair(parts: EngineParts): Promise<void> {
  await findLost(parts);
  await resumeUnhealthy(parts);
  await finishRemovals(parts);
  await rollBackDeployments(parts);
  await finishStarts(parts);
  await Promise.all(parts.table.all().map((row) => parts.supervisor.observe(row)));
  await removeStrays(parts);
  await attempt(() => cleanNetwork(parts.paths.containers));
}

/**
 * Lets containers that a reboot ended come back by their policy. A row of an earlier boot has not been looked at since:
 * this is the first that cares.
 */
export function wakeAfterBoot(parts: EngineParts): void {
  for (const row of parts.table.all()) {
    if (row.writtenIn === null || row.writtenIn === currentBootId() || !returnsAfterBoot(row)) continue;
    const reason = 'the host was restarted';
    update(parts, {
      ...row,
      wanted: 'running',
      state: 'restarting',
      reason,
      attempts: 0,
      restartAt: Date.now(),
    });
  }
}

/** What fails here must fail: to an index without them, containers are strays. */
async function findLost(parts: EngineParts): Promise<void> {
  const { journal } = parts;
  const entries = journal.unfinished(JOURNAL.lost.kind);
  if (entries.length > 0) await findAgain(parts);
  for (const { id } of entries) journal.end(id);
}

async function finishRemovals({ journal, lifecycle }: EngineParts): Promise<void> {
  for (const entry of journal.unfinished<JournalData>(JOURNAL.discard.kind)) {
    // What fails stays in the journal for the next time.
    if (await attempt(() => lifecycle.discard(entry.data.id))) journal.end(entry.id);
  }
}

async function rollBackDeployments(parts: EngineParts): Promise<void> {
  const { journal, lifecycle, supervisor, table } = parts;
  for (const entry of journal.unfinished<JournalData>(JOURNAL.deploy.kind)) {
    if (!(await attempt(() => lifecycle.discard(entry.data.id)))) continue;
    const old = table.byName(entry.subject);
    if (old && entry.step === JOURNAL.deploy.switch) {
      const now = await supervisor.observe(old);
      // It may have its stop signal, and be about to end although it is to stay.
      const end = () => endContainer(parts, now, DEFAULT_GRACE_MS, undefined, { replaced: true });
      if (now.state === 'running') await attempt(end);
      await bringBack(parts, old);
    }
    journal.end(entry.id);
  }
}

async function finishStarts(parts: EngineParts): Promise<void> {
  const { journal, lifecycle, table } = parts;
  for (const entry of journal.unfinished<JournalData>(JOURNAL.start.kind)) {
    const row = table.byId(entry.data.id);
    if (row && row.state !== 'running' && !(await adopt(parts, row))) {
      await attempt(() => lifecycle.release(row.id));
      const { policy = 'no' } = row.care.restart ?? {};
      // Whoever wanted it started wants it still.
      const waits = row.wanted === 'running' && policy !== 'no';
      update(
        parts,
        unstarted({ ...row, state: waits ? 'restarting' : row.state }, 'the start was interrupted'),
      );
    }
    journal.end(entry.id);
  }
}

/** A container whose process was made before the crash goes on. */
async function adopt(parts: EngineParts, row: ContainerRow): Promise<boolean> {
  const { lifecycle, paths, runtime } = parts;
  if (row.state !== 'created' || !row.process || !(await isAlive(row.process))) return false;
  let address = (await attachedAddress(paths.of(row.id))) ?? null;
  try {
    if (await runtime.awaitsStart(row.id)) {
      // The crash may have come before its network was complete.
      address = await lifecycle.connect(row.id, await lifecycle.record(row.id), row.process.pid);
      await runtime.start(row.id);
    }
  } catch {
    return false;
  }
  update(parts, runningRow({ ...row, address }, row.process, Date.now()));
  return true;
}

/** Folders, mounts and runc state without a container; mounts of containers that do not run. */
async function removeStrays({ paths, lifecycle, runtime, table }: EngineParts): Promise<void> {
  const known = new Map(table.all().map((row) => [row.id, row]));
  const found = new Set([...(await readdir(paths.containers)), ...(await runtime.ids())]);
  for (const id of found) if (!known.has(id)) await attempt(() => lifecycle.discard(id));
  const mounted = new Set(await mountPointsBelow(paths.containers));
  for (const row of known.values()) {
    const folder = paths.of(row.id);
    if (row.state !== 'running' && !row.moving && mounted.has(folder.root)) unmountRoot(folder);
  }
}
