import { DEFAULT_GRACE_MS, endContainer } from '../operations';
import { type EngineParts, JOURNAL, type JournalData } from '../parts';
import type { ContainerRow } from '../table';

/** An end that a liveness probe has begun. After a crash it has to be told from one that the container wanted. */
interface UnhealthyEnd extends JournalData {
  /** Which run of the container it is about. */
  startTicks: number | undefined;
  why: string;
}

/** Ends a container as a user would; what comes then is up to its restart policy. */
export async function endUnhealthy(
  parts: EngineParts,
  row: ContainerRow,
  why: string,
  signal: AbortSignal,
): Promise<void> {
  const { journal } = parts;
  const { kind, begin } = JOURNAL.unhealthy;
  for (const { id, data } of journal.unfinished<UnhealthyEnd>(kind)) if (data.id === row.id) journal.end(id);
  const data: UnhealthyEnd = { id: row.id, startTicks: row.process?.startTicks, why };
  const entry = journal.begin(kind, row.name, begin, data);
  // When this is cancelled, for the engine closes, the container has its stop signal, and the next engine sees its end.
  await endContainer(parts, row, DEFAULT_GRACE_MS, signal, { unhealthy: why });
  journal.end(entry);
}

/** Judges the ends that were begun when an earlier process ended, also those that are still to come. */
export async function resumeUnhealthy({ journal, supervisor, table }: EngineParts): Promise<void> {
  for (const entry of journal.unfinished<UnhealthyEnd>(JOURNAL.unhealthy.kind)) {
    const { id, startTicks, why } = entry.data;
    const row = table.byId(id);
    if (row?.state === 'running' && row.process?.startTicks === startTicks) {
      supervisor.expect(row, { unhealthy: why });
      if ((await supervisor.observe(row)).state === 'running') continue;
    }
    journal.end(entry.id);
  }
}
