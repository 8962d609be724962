import { Measurements } from '../../controller';
import type { FlowEvent, OperatorStatus, PlacedFlow, PlacedOperator } from '../flow';
import { Autoscale } from './autoscale';
import { FlowTakenError, OperatorMoveError } from './errors';
import { FlowState } from './flow-state';
import type { FogView } from './fog-view';
import { withoutGone } from './gone';
import { Instances } from './instances';
import { observe } from './observe';
import { Parting } from './parting';
import { EVERY_SECONDS, Placing } from './placing';
import type { OperatorRecord, OwnerTable } from './records';
import { Rounds } from './rounds';
import { partitionsOf } from './specs';
import { statusOf } from './status';
import { obstacle, survey } from './survey';

export interface FlowKeeperOptions {
  view: FogView;
  table: OwnerTable;
}

/** Keeps the operators of one flow where they belong, one thing after another. */
export class FlowKeeper {
  readonly #state: FlowState;
  readonly #rounds: Rounds;
  readonly #measurements = new Measurements();
  readonly #instances: Instances;
  readonly #placing: Placing;
  readonly #parting: Parting;
  readonly #scales = new Map<string, Autoscale>();
  #left = Promise.withResolvers<void>();

  constructor(flow: PlacedFlow, { view, table }: FlowKeeperOptions) {
    this.#rounds = new Rounds({
      round: (isAsked) => this.#round(isAsked),
      every: () => (this.#state.flow.everySeconds ?? EVERY_SECONDS) * 1000,
    });
    this.#state = new FlowState(flow, view, table, this.#rounds.signal);
    this.#instances = new Instances(this.#state);
    this.#placing = new Placing(this.#state, this.#instances, this.#measurements);
    this.#parting = new Parting(this.#state, this.#instances);
  }

  /** The flow as it is now. What somebody did by hand counts until it changes. */
  update(flow: PlacedFlow): void {
    if (JSON.stringify(flow) === JSON.stringify(this.#state.flow)) return;
    this.#state.setFlow(flow);
    this.#placing.again();
    this.#state.forgetRefusals();
    for (const record of this.#state.records.values()) {
      record.pin = null;
      record.isScaledByHand = false;
      this.#state.save(record);
    }
    this.#rounds.hurry();
  }

  /** Events from now on, and each status as it is at first. */
  listen(listener: (event: FlowEvent) => void): () => void {
    this.#state.listeners.add(listener);
    for (const status of this.statuses()) listener({ type: 'status', status });
    this.#rounds.hurry();
    return () => {
      this.#state.listeners.delete(listener);
      this.#left.resolve();
    };
  }

  /** Waits until nobody keeps the flow. @throws {FlowTakenError} when somebody still does */
  async free(patience: number): Promise<void> {
    const limit = AbortSignal.timeout(patience);
    const isOver = new Promise<void>((resolve) => limit.addEventListener('abort', () => resolve()));
    while (this.#state.listeners.size > 0 && !limit.aborted) {
      this.#left = Promise.withResolvers();
      await Promise.race([this.#left.promise, isOver]);
    }
    if (this.#state.listeners.size > 0) throw new FlowTakenError(this.#state.flow.id);
  }

  /** Whether nothing is left of a flow that was removed. */
  get isOver(): boolean {
    return this.#state.flow.operators.length === 0 && this.#state.records.size === 0;
  }

  statuses(): OperatorStatus[] {
    return this.#state.statuses();
  }

  /** Instances that are its, or about to be. */
  get known(): Set<string> {
    return new Set(
      [...this.#state.records.values()].flatMap(({ operator, instances, move }) =>
        [...instances, ...(move ? [move.from, move.to] : [])].map(({ number }) =>
          this.#state.instance(operator, number),
        ),
      ),
    );
  }

  /** @throws {OperatorUnknownError} {OperatorMoveError} */
  async move(id: string, site: string): Promise<OperatorStatus> {
    const operator = this.#state.operator(id);
    if (!this.#state.view.hosts().some((host) => host.site === site)) {
      throw new OperatorMoveError(`the fog has no site ${site}`, 'garua sites lists the sites.');
    }
    const since = this.#state.errors.get(operator.id);
    await this.#rounds.wish(() => {
      const record = this.#state.recordOf(operator);
      record.pin = site;
      record.reason = `moved to ${site} by hand`;
      this.#state.save(record);
      this.#placing.again();
      this.#state.forgetRefusals(`${operator.id} `);
    });
    const record = this.#state.recordOf(operator);
    if (record.instances.length > 0 && record.instances.every((each) => each.site === site)) {
      return statusOf(this.#state, operator);
    }
    record.pin = null;
    this.#state.save(record);
    const error = this.#state.errors.get(operator.id);
    if (error && error !== since) throw new OperatorMoveError(error.message, error.hint);
    const host = this.#state.hosts.filter((each) => each.site === site);
    const reasons = host.flatMap((each) => obstacle(operator, each) ?? []);
    throw new OperatorMoveError(
      reasons[0]?.message ?? `${site} has no room for ${operator.name}`,
      reasons[0]?.hint ?? 'Free some of its cores or memory first.',
    );
  }

  /** @throws {OperatorUnknownError} {OperatorMoveError} */
  async scale(id: string, instances: number): Promise<OperatorStatus> {
    const operator = this.#state.operator(id);
    const { keyed, name } = operator;
    if (!keyed && instances !== 1) {
      throw new OperatorMoveError(`${name} has no key`, 'Say by which property its messages are parted.');
    }
    if (!Number.isSafeInteger(instances) || instances < 1 || instances > partitionsOf(operator)) {
      throw new OperatorMoveError(
        `${name} cannot run as ${instances} instances`,
        'Give a number from 1 to 64.',
      );
    }
    await this.#rounds.wish(() => {
      const record = this.#state.recordOf(operator);
      record.wanted = instances;
      record.isScaledByHand = true;
      record.reason = `${instances} instances by hand`;
      this.#state.save(record);
    });
    const error = this.#state.errors.get(operator.id);
    if (error && this.#state.recordOf(operator).instances.length !== instances) {
      throw new OperatorMoveError(error.message, error.hint);
    }
    return statusOf(this.#state, operator);
  }

  /** Ends all operators, wherever they are; those at hosts that are away end when these come back. */
  async remove(): Promise<void> {
    this.#state.setFlow({ ...this.#state.flow, operators: [] });
    await this.#rounds.wish(() => {});
  }

  /** Something has changed in the fog. */
  hurry(): void {
    this.#rounds.hurry();
  }

  async close(): Promise<void> {
    await this.#rounds.close();
  }

  /** @returns whether all is as it should be */
  async #round(isAsked: boolean): Promise<boolean> {
    this.#state.hosts = await survey(this.#state.view, this.#state.flow, this.#rounds.signal);
    const now = performance.now();
    const { self, flow, records, hosts, figures } = this.#state;
    observe({ self, flow, records, hosts, now }, this.#measurements, figures);
    this.#forgetErrors();
    // Of what is started from here on, the hosts have not said anything.
    const surveyed = this.#state.flow.operators.filter(({ id }) => !this.#state.records.get(id)?.move);
    for (const record of [...this.#state.records.values()]) {
      this.#forgetGone(record);
      if (record.move) await this.#instances.proceed(record);
    }
    await this.#removeGone();
    // Nobody keeps the flow now: what runs goes on.
    if (this.#state.listeners.size === 0 && !isAsked && this.#state.flow.operators.length > 0) {
      this.#state.tell();
      return [...this.#state.records.values()].every(({ move }) => move === null);
    }
    // The flow may become another one meanwhile: that counts in the next round.
    const { operators } = this.#state.flow;
    for (const operator of surveyed) await this.#instances.revive(operator);
    for (const operator of operators) await this.#prepare(operator);
    await this.#placing.place();
    for (const operator of operators) await this.#instances.renew(operator);
    for (const operator of operators) await this.#parting.part(operator);
    this.#state.tell();
    return this.#state.flow.operators.every((operator) => this.#isSettled(operator)) && this.#isClean();
  }

  /** The record of an operator that is new; one that must begin anew is ended first. */
  async #prepare(operator: PlacedOperator): Promise<void> {
    const known = this.#state.records.get(operator.id);
    if (known && known.owners.length !== partitionsOf(operator)) {
      // A host that is away stands in the way of this operator alone.
      const isEnded =
        known.move === null && (await this.#state.attempt(operator.id, () => this.#instances.end(known)));
      if (!isEnded) return;
    }
    const record = this.#state.recordOf(operator);
    const { least, most } = operator.instances;
    const scale = this.#scales.get(operator.id) ?? new Autoscale();
    this.#scales.set(operator.id, scale);
    const wanted = record.isScaledByHand ? record.wanted : Math.min(most, Math.max(least, record.wanted));
    if (wanted !== record.wanted || record.name !== operator.name) {
      Object.assign(record, { wanted, name: operator.name });
      this.#state.save(record);
    }
    const next = scale.next(operator, record, this.#state.figures.get(operator.id));
    if (next === record.wanted) return;
    record.reason = `${next} instances instead of ${record.wanted}: ${next > record.wanted ? 'more' : 'less'} load`;
    record.wanted = next;
    this.#state.save(record);
  }

  /** Hosts that have left the fog hold nothing any more, and a site that is no more is nobody's wish. */
  #forgetGone(record: OperatorRecord): void {
    if (!withoutGone(record, (peerId) => this.#state.isMember(peerId))) return;
    if (!this.#state.view.hosts().some(({ site }) => site === record.pin)) record.pin = null;
    this.#state.save(record);
  }

  /** Whether nothing is left of operators that are no more. */
  #isClean(): boolean {
    const ids = new Set(this.#state.flow.operators.map(({ id }) => id));
    return [...this.#state.records.keys()].every((id) => ids.has(id));
  }

  /** What went wrong before, and is in nobody's way any more. */
  #forgetErrors(): void {
    for (const { id } of this.#state.flow.operators) if (this.#isComplete(id)) this.#state.errors.delete(id);
  }

  #isSettled({ id }: PlacedOperator): boolean {
    return this.#isComplete(id) && !this.#state.errors.has(id);
  }

  #isComplete(operator: string): boolean {
    const record = this.#state.records.get(operator);
    if (!record) return false;
    return record.move === null && record.instances.length === record.wanted && !record.owners.includes(null);
  }

  async #removeGone(): Promise<void> {
    for (const record of [...this.#state.records.values()]) {
      // One that was deployed again meanwhile goes on.
      const isWanted = this.#state.flow.operators.some(({ id }) => id === record.operator);
      if (!isWanted && !record.move) await this.#instances.end(record).catch(() => {});
    }
  }
}
