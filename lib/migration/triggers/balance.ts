import { Hold } from './hold';
import { busiest, isBelow, roomiest, type Shares, used } from './room';
import type { Selection } from './selection';
import type { Decision, FogView, Trigger, ViewedContainer, ViewedHost } from './trigger';

export interface BalanceOptions {
  selection: Selection;
  /** Share of processor or memory, 0 to 1, above which this host has too much to do. */
  high: number;
  /** And below which another one has room. */
  low: number;
  /** How long it must have too much to do, in milliseconds. */
  forMs: number;
}

/** Relieves a host that has had too much to do for a while. */
export class Balance implements Trigger {
  readonly #options: BalanceOptions;
  readonly #hold: Hold<boolean>;

  constructor(options: BalanceOptions) {
    this.#options = options;
    this.#hold = new Hold(options.forMs);
  }

  decide({ self, others, containers }: FogView, now: number): Decision | undefined {
    const { high, low, selection } = this.#options;
    const load = used(self);
    if (!this.#hold.lasts(busiest(load) > high || undefined, now)) return undefined;
    const idle = others.filter((host) => isBelow(used(host), both(low)));
    const short: keyof Shares = load.cpu >= load.memory ? 'cpu' : 'memory';
    const help = (container: ViewedContainer) => (short === 'cpu' ? container.cpus : container.memory);
    const candidates = containers
      .filter((container) => container.mayMove && selection(container) && help(container) > 0)
      .sort((a, b) => help(b) - help(a));
    for (const container of candidates) {
      const target = this.#relief(self, idle, container);
      if (!target) continue;
      this.#hold.reset();
      const reason = `${self.name} is at ${percent(load[short])} of its ${NAMES[short]}`;
      return { container: container.name, to: target.name, reason };
    }
    return undefined;
  }

  /** A host that does not become what this one is: it would only send the container back. */
  #relief(self: ViewedHost, idle: ViewedHost[], container: ViewedContainer): ViewedHost | undefined {
    const { high, low } = this.#options;
    const most = Math.min((low + high) / 2, busiest(used(self)));
    return roomiest(idle, container, both(most));
  }
}

const NAMES: Record<keyof Shares, string> = { cpu: 'processor', memory: 'memory' };

const both = (share: number): Shares => ({ cpu: share, memory: share });
const percent = (share: number) => `${Math.round(share * 100)} %`;
