import { type FSWatcher, watch } from 'node:fs';
import type { Changes } from './changes';
import type { ContainerPaths } from './paths';
import { readExit } from './runtime/exit';
import type { ContainerRow, ContainerTable } from './table';

/** Deaths are reported by conmon's exit files; this finds those that conmon did not live to report. */
const LOOK_AGAIN_MS = 2_000;
/** As above, where the kernel has no watch left to give. */
const LOOK_OFTEN_MS = 250;

/** Notices when containers end, and writes it into the index. */
export class Supervisor {
  readonly #paths: ContainerPaths;
  readonly #table: ContainerTable;
  readonly #changes: Changes<ContainerRow>;
  readonly #onEnd: (row: ContainerRow) => void;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;

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
    if (row.state !== 'running' || !row.process) return row;
    const exit = await readExit(row.id, this.#paths.of(row.id), row.process);
    if (!exit) return row;
    // Several may have looked at the same time, and it may even have been started again since.
    const current = this.#table.byId(row.id);
    if (current?.state !== 'running' || current.process?.startTicks !== row.process.startTicks) {
      return current ?? row;
    }
    const asWanted = current.wanted === 'stopped' || exit.exitCode === 0;
    const ended: ContainerRow = {
      ...current,
      ...exit,
      state: asWanted ? 'stopped' : 'failed',
      process: null,
    };
    this.#table.put(ended);
    this.#changes.emit(ended);
    this.#onEnd(ended);
    return ended;
  }

  #look(id: string): void {
    const row = this.#table.byId(id);
    // What cannot be read now is read at the next look.
    if (row) this.observe(row).catch(() => {});
  }

  #lookAtAll(): void {
    for (const row of this.#table.all()) this.observe(row).catch(() => {});
  }
}
