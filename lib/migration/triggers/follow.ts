import { Hold } from './hold';
import { MEMORY_FITS, roomiest } from './room';
import type { Decision, FogView, Trigger } from './trigger';

export interface FollowOptions {
  container: string;
  /** How long another site must be nearer, in milliseconds. */
  forMs: number;
  /** How much nearer it must be, in milliseconds and as a share of the way from here, 0 to 1: both count. */
  marginMs: number;
  nearer: number;
}

/** Weight of the newest measurement: one slow answer must not begin the wait anew. */
const SMOOTHING = 0.4;

/** Keeps a container at the site that is nearest to its user. */
export class Follow implements Trigger {
  readonly #options: FollowOptions;
  readonly #hold: Hold<string>;
  readonly #smoothed = new Map<string, number>();

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#hold = new Hold(options.forMs);
  }

  /** The nearest site as measured lately; undefined while no site reaches the user. */
  get nearest(): string | undefined {
    const sites = [...this.#smoothed].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
    return sites[0]?.[0];
  }

  decide(view: FogView, now: number): Decision | undefined {
    this.#take(view.latencies);
    const container = view.containers.find(({ name }) => name === this.#options.container);
    const { site: own } = view.self;
    const here = this.#smoothed.get(own) ?? Number.POSITIVE_INFINITY;
    // How far it is from here is not known yet, which is something else than no way.
    const isUnknown = view.latencies[own] === null && !this.#smoothed.has(own);
    const site = this.nearest;
    const there = site === undefined ? here : this.#smoothed.get(site)!;
    const isNearer = !isUnknown && site !== own && this.#isNearer(there, here);
    // One that has just come here waits as long as any other.
    const isTime = this.#hold.lasts(isNearer && container ? site : undefined, now);
    if (!isTime || !container?.mayMove) return undefined;
    const hosts = view.others.filter((host) => host.site === site);
    const target = roomiest(hosts, container, MEMORY_FITS);
    if (!target) return undefined;
    this.#hold.reset();
    const instead = Number.isFinite(here) ? `${Math.round(here)} ms` : 'no way';
    const reason = `${site} is nearer: ${Math.round(there)} ms instead of ${instead}`;
    return { container: container.name, to: target.name, reason };
  }

  #take(latencies: FogView['latencies']): void {
    for (const site of this.#smoothed.keys()) if (!(site in latencies)) this.#smoothed.delete(site);
    for (const [site, latency] of Object.entries(latencies)) {
      if (latency === null) continue;
      const old = this.#smoothed.get(site) ?? latency;
      this.#smoothed.set(site, old + SMOOTHING * (latency - old));
    }
  }

  #isNearer(there: number, here: number): boolean {
    const { marginMs, nearer } = this.#options;
    return there + marginMs <= here && there <= here * (1 - nearer);
  }
}
