import { Hold } from './hold';
import { roomiest, used } from './room';
import type { Selection } from './selection';
import type { Decision, FogView, Trigger, ViewedHost } from './trigger';

export interface ConsolidateOptions {
  selection: Selection;
  /** Share of the processor, 0 to 1, below which this host is idle. */
  idle: number;
  /** Share of processor and memory that a host may have in use once the containers are there. */
  high: number;
  /** How long it must be idle, in milliseconds. */
  forMs: number;
}

/** Of two hosts that are as busy as each other one must be the one that stays; less than this is no difference. */
const ALIKE = 0.05;

/** Empties an idle host onto a busier one, so that it may be switched off. */
export class Consolidate implements Trigger {
  readonly #options: ConsolidateOptions;
  readonly #hold: Hold<boolean>;

  constructor(options: ConsolidateOptions) {
    this.#options = options;
    this.#hold = new Hold(options.forMs);
  }

  decide({ self, others, containers }: FogView, now: number): Decision | undefined {
    const { selection, idle, high } = this.#options;
    const all = containers.filter(selection);
    const next = all.find(({ mayMove }) => mayMove);
    const weight = {
      cpus: all.reduce((sum, { cpus }) => sum + cpus, 0),
      memory: all.reduce((sum, { memory }) => sum + memory, 0),
      avoids: all.flatMap(({ avoids }) => avoids),
    };
    const staying = others.filter((host) => stays(host, self));
    // All go, or none: half of them would leave two hosts on.
    const target = used(self).cpu < idle ? roomiest(staying, weight, { cpu: high, memory: high }) : undefined;
    const isTime = this.#hold.lasts((target && all.length > 0) || undefined, now);
    if (!isTime || !target || !next) return undefined;
    return { container: next.name, to: target.name, reason: `${self.name} is idle` };
  }
}

/** Whether the other is the one of the two that stays on: the busier one. */
function stays(other: ViewedHost, self: ViewedHost): boolean {
  const difference = used(other).cpu - used(self).cpu;
  return Math.abs(difference) < ALIKE ? other.peerId > self.peerId : difference > 0;
}
