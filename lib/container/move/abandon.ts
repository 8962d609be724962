import { processesOf, thaw } from '../runtime/freezer';
import type { ContainerRow } from '../table';
import type { MoveParts } from './departure';
import { removeImagesFolder } from './images-folder';

/** Takes away all of a container that was to arrive, and the volumes that were made for it. Can be repeated. */
export async function abandon(
  parts: Pick<MoveParts, 'changes' | 'lifecycle' | 'paths' | 'settled' | 'table' | 'volumes'>,
  row: ContainerRow,
): Promise<void> {
  const { changes, lifecycle, paths, table, volumes } = parts;
  // What a failed restore left is not known to runc.
  for (const pid of await processesOf(row.id)) kill(pid);
  await thaw(row.id);
  await lifecycle.discard(row.id);
  for (const name of row.moving?.volumes ?? []) await volumes.remove(name).catch(() => {});
  await removeImagesFolder(paths.of(row.id));
  table.urgently(() => table.delete(row.id));
  changes.emit({ ...row, state: 'removed', process: null });
  parts.settled(row.id);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
