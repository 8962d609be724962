import { type Column, type Item, makeColumn, PendingAnswer } from './aggregates';
import type { ListReader, ListWriter } from './events';
import type { AggregateSpec, Pane } from './stream';

/** One state per aggregate; undefined while no event was added. */
export type States = unknown[] | undefined;

/** What earlier panes of a key left behind, per aggregate. */
export type Histories = unknown[] | undefined;

/** All aggregates of a specification as one. */
export class Columns {
  readonly list: readonly Column[];
  /** How many aggregates keep each event. */
  readonly keeping: number;
  /** Whether some answers depend on the key's earlier panes. */
  readonly judging: boolean;
  /** Whether some answers are still to be computed when the pane is made. */
  readonly pending: boolean;

  constructor(specs: readonly AggregateSpec[]) {
    this.list = specs.map(makeColumn);
    this.keeping = this.list.filter(({ aggregate }) => aggregate.lowerItems).length;
    this.judging = this.list.some(({ aggregate }) => aggregate.judge);
    this.pending = specs.some(({ op }) => op === 'jsonata');
  }

  empty(): unknown[] {
    return this.list.map(({ aggregate }) => aggregate.empty());
  }

  /** Adds an event; the states may be changed in place. */
  add(states: States, value: unknown, time: number, order: number): unknown[] {
    const sums = states ?? this.empty();
    const { list } = this;
    for (let at = 0; at < list.length; at += 1) {
      const { aggregate, read } = list[at]!;
      sums[at] = aggregate.add(sums[at], read(value), time, order);
    }
    return sums;
  }

  combine(older: States, newer: States): States {
    if (!older || !newer) return older ?? newer;
    return this.list.map(({ aggregate }, at) => aggregate.combine(older[at], newer[at]));
  }

  lower(states: States): unknown[] {
    const sums = states ?? this.empty();
    return this.list.map(({ aggregate }, at) => aggregate.lower(sums[at]));
  }

  /** Lets answers be judged by the key's earlier panes; `learn` adds this one to them. */
  judge(answers: unknown[], histories: Histories, learn: boolean): Histories {
    if (!this.judging) return histories;
    return this.list.map(({ aggregate }, at) => {
      if (!aggregate.judge) return null;
      const { answer, history } = aggregate.judge(answers[at], histories?.[at] ?? undefined, learn);
      answers[at] = answer;
      return history;
    });
  }

  result(answers: unknown[]): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (let at = 0; at < answers.length; at += 1) result[this.list[at]!.name] = answers[at];
    return result;
  }

  save(states: States, write: ListWriter): unknown[] | null {
    if (!states) return null;
    return this.list.map(({ aggregate }, at) =>
      aggregate.save ? aggregate.save(states[at], write) : states[at],
    );
  }

  load(saved: unknown[] | null, read: ListReader): States {
    if (!saved) return undefined;
    return this.list.map(({ aggregate }, at) =>
      aggregate.load ? aggregate.load(saved[at], read) : saved[at],
    );
  }

  /** The answer of an aggregate that wants single events. */
  lowerItems(at: number, items: readonly Item[]): unknown {
    const { aggregate, read } = this.list[at]!;
    const values = items.map(({ time, order, value }) => ({ time, order, value: read(value) ?? null }));
    return aggregate.lowerItems!(values);
  }
}

/**
 * Waits for answers that are still being computed. One that fails is null in the pane.
 *
 * @throws {StreamExpressionError} once all answers are in the pane
 */
export async function settle(pane: Pane): Promise<Pane> {
  let failure: unknown;
  for (const [name, answer] of Object.entries(pane.result)) {
    if (!(answer instanceof PendingAnswer)) continue;
    pane.result[name] = await answer.value().catch((error) => {
      failure ??= error;
      return null;
    });
  }
  if (failure) throw failure;
  return pane;
}
