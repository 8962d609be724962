import { Hold } from './hold';
import { MEMORY_FITS, roomiest } from './room';
import type { Selection } from './selection';
import type { Decision, FogView, Trigger } from './trigger';

export interface MakeRoomOptions {
  selection: Selection;
  /** Bytes that are to stay free for what is important. */
  memory: number;
  /** How long less must have been free, in milliseconds. */
  forMs: number;
}

/** What somebody wants to start here. */
export interface Want {
  /** Bytes. */
  memory: number;
  priority: number;
}

/** Moves less important containers away when memory is short for the important ones. */
export class MakeRoom implements Trigger {
  readonly #options: MakeRoomOptions;
  readonly #hold: Hold<boolean>;
  /** Counts at once, until there is so much room. */
  want: Want | undefined;

  constructor(options: MakeRoomOptions) {
    this.#options = options;
    this.#hold = new Hold(options.forMs);
  }

  decide({ self, others, containers }: FogView, now: number): Decision | undefined {
    const { memory, selection } = this.#options;
    if (this.want && self.freeMemory >= this.want.memory) this.want = undefined;
    const isShort = this.#hold.lasts(self.freeMemory < memory || undefined, now);
    const highest = Math.max(...containers.map(({ priority }) => priority));
    const priority = this.want?.priority ?? (isShort ? highest : undefined);
    if (priority === undefined) return undefined;
    // The least important first, and of these the one that gives most.
    const leaving = containers
      .filter((container) => container.mayMove && container.priority < priority && selection(container))
      .sort((a, b) => a.priority - b.priority || b.memory - a.memory);
    for (const container of leaving) {
      const target = roomiest(others, container, MEMORY_FITS);
      if (!target) continue;
      this.#hold.reset();
      return { container: container.name, to: target.name, reason: `room for priority ${priority}` };
    }
    return undefined;
  }
}
