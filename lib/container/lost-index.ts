import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { currentBootId } from '../base';
import { firstRow } from './deployment';
import { readMarker } from './move/marker';
import { attachedAddress } from './network/bridge';
import { runningRow } from './operations';
import type { EngineParts } from './parts';
import { afterEnd } from './restart/policy';
import { isFrozen } from './runtime/freezer';
import { isAlive, type ProcessIdentity } from './runtime/process-identity';
import { specDigest } from './spec-digest';
import type { ContainerRow } from './table';

const REASON = 'its index was lost';

/**
 * Writes the containers of the folder into an index that has lost them. What runs goes on. What does not run comes
 * back where its policy is to start it after a reboot; whether the user had stopped it is no longer known.
 */
export async function findAgain(parts: EngineParts): Promise<void> {
  const { paths, table } = parts;
  const ids = (await readdir(paths.containers)).filter((id) => !table.byId(id));
  const found = await Promise.all(ids.map((id) => rowOf(parts, id)));
  const rows = found.filter((row) => row !== undefined).sort(bestFirst);
  for (const row of rows) if (!table.byName(row.name)) table.put(row);
}

/** undefined where the folder is no container's, or one that was being removed. */
async function rowOf(parts: EngineParts, id: string): Promise<ContainerRow | undefined> {
  const { lifecycle, paths } = parts;
  const record = await lifecycle.record(id).catch(() => undefined);
  if (!record) return undefined;
  const folder = paths.of(id);
  const marker = await readMarker(folder);
  // It was still arriving, and this host has not said that it is its own.
  if (marker?.role === 'arriving') return undefined;
  const digest = specDigest(record.spec, record.image.digest);
  const row: ContainerRow = { ...firstRow(id, { ...record, specDigest: digest }), moving: null };
  // What has left, or not, is for the other host to say.
  if (marker) row.moving = { role: 'leaving', purpose: marker.purpose, decided: 'elsewhere' };
  const { mtimeMs } = await stat(folder.pidFile).catch(() => stat(folder.record));
  const startedAt = Math.floor(mtimeMs);
  const process = await runningProcess(join(paths.runtime, id, 'state.json'));
  if (process) {
    const address = (await attachedAddress(folder)) ?? null;
    // A checkpoint of it was being written.
    if (!row.moving && (await isFrozen(id)))
      row.moving = { role: 'leaving', purpose: 'checkpoint', decided: 'here' };
    return runningRow({ ...row, address }, process, startedAt);
  }
  if (row.moving) row.moving.stopped = true;
  const policy = row.care.restart?.policy;
  const ended: ContainerRow = { ...row, startedAt, finishedAt: Date.now(), reason: REASON };
  if (!row.moving && (policy === 'always' || policy === 'unless-stopped'))
    return afterEnd(ended, { reboot: true });
  return { ...ended, state: 'stopped', wanted: 'stopped' };
}

/** As runc notes it, if it still runs. */
async function runningProcess(stateFile: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(stateFile, 'utf8').catch(() => '{}');
  const { init_process_pid: pid, init_process_start: startTicks } = JSON.parse(text) as {
    init_process_pid?: number;
    init_process_start?: number;
  };
  if (pid === undefined || startTicks === undefined) return undefined;
  const process = { pid, startTicks, bootId: currentBootId() };
  return (await isAlive(process)) ? process : undefined;
}

/** Of two of one name, one was being replaced by the other. */
function bestFirst(one: ContainerRow, other: ContainerRow): number {
  return (
    Number(other.state === 'running') - Number(one.state === 'running') ||
    (other.startedAt ?? 0) - (one.startedAt ?? 0)
  );
}
