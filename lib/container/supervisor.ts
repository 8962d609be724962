import { type FSWatcher, watch } from 'node:fs';
import { currentBootId, DiskFullError, toGaruaError } from '../base';
import type { Changes } from './changes';
import type { ContainerPaths } from './paths';
import { afterEnd } from './restart/policy';
import { readExit } from './runtime/exit';
import type { ContainerRow, ContainerTable } from './table';

/** Deaths are reported by conmon's exit files; this finds those that conmon did not live to report. */
const LOOK_AGAIN_MS = 2_000;
/** As above, where the kernel has no watch left to give. */
const LOOK_OFTEN_MS = 250;
/** So many looks only ask the kernel whether the process is there; the next one looks closely. */
const QUICK_LOOKS = 5;

/**
 * Why this process ends a container of which the user still wants that it runs: for its replacement, or because it
 * is not healthy.
 */
export type Ending = { replaced: true } | { unhealthy: string };

/** Notices when containers end, and writes it into the index. */
export class Supervisor {
  readonly #paths: ContainerPaths;
  readonly #table: ContainerTable;
  readonly #changes: Changes<ContainerRow>;
  readonly #onEnd: (row: ContainerRow) => void;
  readonly #endings = new Map<string, { ending: Ending; startTicks: number | undefined }>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;

  /** `onEnd` is called once for each container that has ended, after the index says so. */
  constructor(
    paths: ContainerPaths,
    table: ContainerTable,
    changes: Changes<ContainerRow>,
    onEnd: (row: ContainerRow) => void,
  ) {
    this.#paths = paths;
    this.#table = table;
    this.#changes = changes;
    this.#onEnd = onEnd;
  }

  start(): void {
    let interval = LOOK_AGAIN_MS;
    try {
      this.#watcher = watch(this.#paths.exits, (_event, id) => {
        if (id) this.#look(id);
      });
      this.#watcher.on('error', () => {});
    } catch {
      interval = LOOK_OFTEN_MS;
    }
    this.#timer = setInterval(() => this.#lookAtAll(), interval);
  }

  stop(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
  }

  /** The container as it is now: if it has ended, the index says so afterwards. */
  async observe(row: ContainerRow): Promise<ContainerRow> {
    // What moves is looked at once its move is over.
    if (row.state !== 'running' || !row.process || row.moving) return row;
    const onPurpose = row.wanted === 'stopped' || this.#endingOf(row) !== undefined;
    const exit = await readExit(row.id, this.#paths.of(row.id), row.process, onPurpose);
    if (!exit) return row;
    // Several may have looked at the same time, and it may even have been started again since.
    const current = this.#table.byId(row.id);
    if (
      current?.state !== 'running' ||
      current.moving ||
      current.process?.startTicks !== row.process.startTicks
    ) {
      return current ?? row;
    }
    const ended = this.#ended({ ...current, ...exit });
    try {
      this.#table.put(ended);
    } catch (error) {
      // It has ended all the same. A later look writes it down, and tells those who watch.
      if (toGaruaError(error) instanceof DiskFullError) return ended;
      throw error;
    }
    this.#changes.emit(ended);
    this.#onEnd(ended);
    return ended;
  }

  /** Says why the end of this run of a container comes, until the returned function is called. */
  expect({ id, process }: ContainerRow, ending: Ending): () => void {
    this.#endings.set(id, { ending, startTicks: process?.startTicks });
    return () => this.#endings.delete(id);
  }

  #endingOf({ id, process }: ContainerRow): Ending | undefined {
    const expected = this.#endings.get(id);
    return expected?.startTicks === process?.startTicks ? expected?.ending : undefined;
  }

  #ended(row: ContainerRow): ContainerRow {
    const ending = this.#endingOf(row);
    if (!ending) return afterEnd(row, { reboot: row.process?.bootId !== currentBootId() });
    if ('replaced' in ending) {
      return { ...afterEnd({ ...row, wanted: 'stopped' }), wanted: row.wanted };
    }
    return afterEnd({ ...row, reason: `unhealthy: ${ending.unhealthy}` }, { unhealthy: true });
  }

  #look(id: string): void {
    const row = this.#table.byId(id);
    // What cannot be read now is read at the next look.
    if (row) this.observe(row).catch(() => {});
  }

  /** Mostly a single system call for each container: a host with many of them is to cost nothing while they run. */
  #lookAtAll(): void {
    this.#looks += 1;
    const closely = this.#looks % (QUICK_LOOKS + 1) === 0;
    for (const { id, pid } of this.#table.running()) if (closely || !exists(pid)) this.#look(id);
  }
}

/** Whether there is a process of that number. It may be a zombie, or another one by now. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
