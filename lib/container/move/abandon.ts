import { VolumeInUseError, VolumeNotFoundError } from '../errors';
import { update } from '../operations';
import { processesOf, thaw } from '../runtime/freezer';
import { isAlive } from '../runtime/process-identity';
import type { ContainerRow, Moving } from '../table';
import type { MoveParts } from './departure';
import { removeImagesFolder } from './images-folder';
import { volumesOf } from './volumes-of';

/** Takes away all of a container that was to arrive, and the volumes that were made for it. Can be repeated. */
export async function abandon(parts: MoveParts, row: ContainerRow): Promise<void> {
  const { changes, lifecycle, paths, table, volumes } = parts;
  // While it is frozen: not one of them does another step. What a failed restore left is not known to runc.
  for (const pid of await processesOf(row.id)) kill(pid);
  await thaw(row.id);
  await lifecycle.discard(row.id);
  for (const name of row.moving?.volumes ?? []) await volumes.remove(name).catch(unlessNotOurs);
  await removeImagesFolder(paths.of(row.id));
  // Last: as long as it is there, what fails is done again.
  table.urgently(() => table.delete(row.id));
  changes.emit({ ...row, state: 'removed', process: null });
  parts.settled(row.id);
}

/**
 * The same for a container that runs elsewhere. Its connections are left without a word, and from the first step on
 * it is not this host's any more, also after a crash.
 */
export async function takeAway(
  parts: MoveParts,
  row: ContainerRow,
  moving: Pick<Moving, 'role' | 'purpose'>,
): Promise<void> {
  const { lifecycle } = parts;
  // Of one that was taken away in part already its row knows more than what is left of its files.
  const record = await lifecycle.record(row.id).catch(() => undefined);
  const volumes = record ? volumesOf(record) : (row.moving?.volumes ?? []);
  const doomed = update(parts, { ...row, moving: { ...moving, decided: 'here', doomed: true, volumes } });
  if (record && row.process && (await isAlive(row.process))) {
    await lifecycle.unplug(row.id, record, row.process.pid);
  }
  await abandon(parts, doomed);
}

/** Another container may use the volume too. */
function unlessNotOurs(error: unknown): void {
  if (!(error instanceof VolumeNotFoundError || error instanceof VolumeInUseError)) throw error;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
