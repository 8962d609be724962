import type { Pace } from './pace';
import type { Decision, FogView, Trigger } from './trigger';

/** Shows a trigger the view and takes its decisions no faster than the pace allows. */
export class Watcher {
  readonly #trigger: Trigger;
  readonly #pace: Pace;

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
        mayMove: container.mayMove && this.#pace.mayMove(container.name, now),
      }));
      const decision = this.#trigger.decide({ ...view, containers }, now);
      if (!decision) break;
      this.#pace.began(decision.container);
      decisions.push(decision);
    }
    return decisions;
  }

  ended({ container }: Decision, hasMoved: boolean, now: number): void {
    this.#pace.ended(container, hasMoved, now);
  }
}
