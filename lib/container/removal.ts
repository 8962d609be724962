import { endContainer, update } from './operations';
import { type EngineParts, JOURNAL, type JournalData } from './parts';
import type { ContainerRow } from './table';

/** Takes a container and all that it wrote away. Those who watch get a last word. */
export async function removeContainer(parts: EngineParts, row: ContainerRow): Promise<void> {
  const { changes, journal, lifecycle, table } = parts;
  let entry: number | undefined;
  table.urgently(() => {
    entry = journal.begin<JournalData>(JOURNAL.discard.kind, row.name, JOURNAL.discard.begin, { id: row.id });
    table.delete(row.id);
  });
  changes.emit({ ...row, state: 'removed', process: null, restartAt: null });
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
  const wanted: ContainerRow = { ...row, wanted: 'stopped' };
  if (row.state === 'restarting') {
    return update(parts, { ...wanted, state: 'stopped', restartAt: null, attempts: 0 });
  }
  if (row.state !== 'running') return row.wanted === 'stopped' ? row : update(parts, wanted);
  parts.table.urgently(() => parts.table.put(wanted));
  return endContainer(parts, wanted, graceMs, signal);
}
