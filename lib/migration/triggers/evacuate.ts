import { Hold } from './hold';
import { MEMORY_FITS, roomiest } from './room';
import type { Selection } from './selection';
import type { Decision, FogView, Trigger } from './trigger';

export interface EvacuateOptions {
  selection: Selection;
  /** How long the host must be in trouble, in milliseconds: a voltage may drop for a moment. */
  forMs: number;
}

/** Brings all containers of this host to safety, when it is told to or when the host is in trouble. */
export class Evacuate implements Trigger {
  readonly #options: EvacuateOptions;
  readonly #hold: Hold<boolean>;
  /** Somebody has said that the host is to be left. */
  isAsked = false;

  constructor(options: EvacuateOptions) {
    this.#options = options;
    this.#hold = new Hold(options.forMs);
  }

  decide({ containers, others, troubles }: FogView, now: number): Decision | undefined {
    const isInTrouble = this.#hold.lasts(troubles.length > 0 || undefined, now);
    if (!isInTrouble && !this.isAsked) return undefined;
    const reason = isInTrouble ? troubles.join('; ') : 'this host is to be left';
    // What matters most goes first, and a large one while there is room for it.
    const leaving = containers
      .filter((container) => container.mayMove && this.#options.selection(container))
      .sort((a, b) => b.priority - a.priority || b.memory - a.memory);
    for (const container of leaving) {
      const target = roomiest(others, container, MEMORY_FITS);
      if (target) return { container: container.name, to: target.name, reason };
    }
    return undefined;
  }
}
