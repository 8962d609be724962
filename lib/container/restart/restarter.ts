import type { Changes } from '../changes';
import type { ContainerRow, ContainerTable } from '../table';
import { Turns } from '../turns';
import { pauseAfter } from './policy';

/** After a boot all containers want to start: on a small machine they must not do so at the same moment. */
const AT_ONCE = 4;

/** Starts containers whose pause is over. A pause is in the index, so the next process goes on with it. */
export class Restarter {
  readonly #table: ContainerTable;
  readonly #changes: Changes<ContainerRow>;
  readonly #restart: (row: ContainerRow) => Promise<void>;
  readonly #turns = new Turns(AT_ONCE);
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #stopped = false;
  #unsubscribe: (() => void) | undefined;

  /** `restart` starts a container if it is still waiting for that; its row says what came of it. */
  constructor(
    table: ContainerTable,
    changes: Changes<ContainerRow>,
    restart: (row: ContainerRow) => Promise<void>,
  ) {
    this.#table = table;
    this.#changes = changes;
    this.#restart = restart;
  }

  start(): void {
    this.#unsubscribe = this.#changes.listen((row) => this.#consider(row));
    for (const row of this.#table.all()) this.#consider(row);
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe?.();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #consider(row: ContainerRow): void {
    clearTimeout(this.#timers.get(row.id));
    this.#timers.delete(row.id);
    if (row.state === 'restarting') this.#schedule(row, (row.restartAt ?? 0) - Date.now());
  }

  #schedule(row: ContainerRow, milliseconds: number): void {
    // A machine without a clock of its own may set it by years at any time: never longer than the pause itself.
    const pause = Math.max(0, Math.min(milliseconds, pauseAfter(row.attempts)));
    this.#timers.set(
      row.id,
      setTimeout(() => void this.#turns.run(() => this.#act(row)), pause),
    );
  }

  async #act(row: ContainerRow): Promise<void> {
    if (this.#stopped) return;
    const timer = this.#timers.get(row.id);
    await this.#restart(row).catch(() => {});
    // Where not even the failure could be written down, on a full disk, nobody has asked for the next attempt.
    const current = this.#stopped ? undefined : this.#table.byId(row.id);
    if (current?.state === 'restarting' && this.#timers.get(row.id) === timer) {
      this.#schedule(current, pauseAfter(current.attempts));
    }
  }
}
