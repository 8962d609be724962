import type { Pace } from './pace';
import type { Decision, FogView, Trigger, ViewedContainer, ViewedHost } from './trigger';

/** Shows a trigger the view and takes its decisions no faster than the pace allows. */
export class Watcher {
  readonly #trigger: Trigger;
  readonly #pace: Pace;
  /** Containers that are on their way, and where to: they will need their room there. */
  readonly #coming = new Map<string, { to: string; container: ViewedContainer }>();

  constructor(trigger: Trigger, pace: Pace) {
    this.#trigger = trigger;
    this.#pace = pace;
  }

  /** The moves to begin now; each is to be followed by `ended`. */
  look(view: FogView, now: number): Decision[] {
    const decisions: Decision[] = [];
    this.#pace.keep(new Set(view.containers.map(({ name }) => name)), now);
    while (!this.#pace.isFull) {
      const containers = view.containers.map((container) => ({
        ...container,
        avoids: [...container.avoids, ...this.#pace.avoids(container.name, now)],
        mayMove: container.mayMove && this.#pace.mayMove(container.name, now),
      }));
      const others = view.others.filter(({ arch }) => arch === view.self.arch);
      const left = others.map((host) => this.#withComing(host));
      const decision = this.#trigger.decide({ ...view, containers, others: left }, now);
      if (!decision) break;
      this.#pace.began(decision.container);
      const container = containers.find(({ name }) => name === decision.container);
      if (container) this.#coming.set(container.name, { to: decision.to, container });
      decisions.push(decision);
    }
    return decisions;
  }

  ended({ container, to }: Decision, hasMoved: boolean, now: number): void {
    this.#pace.ended(container, to, hasMoved, now);
    this.#coming.delete(container);
  }

  #withComing(host: ViewedHost): ViewedHost {
    const coming = [...this.#coming.values()].filter(({ to }) => to === host.name);
    const sum = (of: 'cpus' | 'memory') => coming.reduce((all, { container }) => all + container[of], 0);
    return { ...host, freeCpus: host.freeCpus - sum('cpus'), freeMemory: host.freeMemory - sum('memory') };
  }
}
