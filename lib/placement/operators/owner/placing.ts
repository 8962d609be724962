import { toGaruaError } from '../../../base';
import { type Decision, decide, explain, type Measurements } from '../../controller';
import type { PlacedOperator } from '../flow';
import { modelOf, type Slot, sitesFor, slotId } from './flow-model';
import type { FlowState } from './flow-state';
import type { Instances } from './instances';
import { partitionsOf } from './specs';
import { mainObstacle } from './survey';

/** Between two looks at where operators should be, in seconds. */
export const EVERY_SECONDS = 30;
const MOST_MOVES = 2;

/** Decides where instances should be, and has them started and moved. */
export class Placing {
  readonly #state: FlowState;
  readonly #instances: Instances;
  readonly #measurements: Measurements;
  #decidedAt = Number.NEGATIVE_INFINITY;

  constructor(state: FlowState, instances: Instances, measurements: Measurements) {
    this.#state = state;
    this.#instances = instances;
    this.#measurements = measurements;
  }

  /** Looks again in the next round. */
  again(): void {
    this.#decidedAt = Number.NEGATIVE_INFINITY;
  }

  /** Solves where instances should be, starts those that are missing, and moves what had better be elsewhere. */
  async place(): Promise<void> {
    const slots = this.#state.flow.operators.flatMap((operator) => this.#slotsOf(operator));
    const missing = slots.filter(({ current }) => !current);
    const isDue =
      performance.now() - this.#decidedAt >= (this.#state.flow.everySeconds ?? EVERY_SECONDS) * 990;
    if (missing.length === 0 && !isDue) return;
    const parts = {
      ...{ flow: this.#state.flow, slots, hosts: this.#state.hosts, site: this.#state.view.self.site },
      hearing: await this.#hearing(),
      measurements: this.#measurements,
      isRefused: (id: string, peerId: string) => this.#state.isRefused(id, peerId),
    };
    for (const { operator } of missing) this.#explainNowhere(operator, slots, parts);
    const choices = slots.map((slot) => sitesFor(slot, parts));
    // Where nothing can be chosen there is nothing to solve.
    const isOpen = slots.some(({ current }, index) => choices[index]!.some((site) => site !== current?.site));
    if (!isOpen) {
      this.#decidedAt = performance.now();
      return;
    }
    let decision: Decision;
    try {
      const { horizonSeconds, mostMoves = MOST_MOVES } = this.#state.flow;
      const { signal } = this.#state;
      decision = await decide(modelOf(parts), { horizonSeconds, mostMoves, signal });
    } catch (error) {
      const document = toGaruaError(error, 'placing the operators').toJSON();
      for (const { operator } of missing) this.#state.fail(operator.id, document);
      this.#decidedAt = performance.now();
      return;
    }
    this.#decidedAt = performance.now();
    const words = decision.moves.length > 0 ? explain(decision) : [];
    for (const [index, { operator: id, to }] of decision.moves.entries()) {
      const slot = slots.find((each) => slotId(each) === id);
      if (!slot) continue;
      const { operator, record } = slot;
      const byHand = record.pin === to ? `moved to ${to} by hand` : undefined;
      const reason = byHand ?? words[index]!.replace(id, operator.name);
      if (!slot.current) await this.#instances.start(slot, to, reason);
      else await this.#instances.moveSlot(slot, slot.current, to, reason);
    }
  }

  #slotsOf(operator: PlacedOperator): Slot[] {
    const record = this.#state.recordOf(operator);
    // One that is to begin anew is ended first.
    if (record.move || record.owners.length !== partitionsOf(operator)) return [];
    const taken = record.instances.map((current) => ({ operator, record, slot: current.slot, current }));
    const free = Array.from({ length: partitionsOf(operator) }, (_, slot) => slot)
      .filter((slot) => !taken.some((each) => each.slot === slot))
      .slice(0, Math.max(0, record.wanted - taken.length))
      .map((slot) => ({ operator, record, slot, current: undefined }));
    return [...taken, ...free];
  }

  #explainNowhere(operator: PlacedOperator, slots: Slot[], parts: Parameters<typeof sitesFor>[1]): void {
    const slot = slots.find((each) => each.operator === operator && !each.current)!;
    if (sitesFor(slot, parts).length > 0) return;
    const document = mainObstacle(operator, this.#state.hosts, this.#state.self);
    if (document) this.#state.fail(operator.id, document);
  }

  async #hearing(): Promise<Map<string, string[]>> {
    const topics = new Set(
      this.#state.flow.operators.flatMap(({ outputs }) => outputs.flatMap((output) => output.topics)),
    );
    const heard = await Promise.all(
      [...topics].map(async (topic) => [topic, await this.#state.view.sitesHearing(topic)] as const),
    );
    return new Map(heard.filter(([, sites]) => sites.length > 0));
  }
}
