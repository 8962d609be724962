import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorDocument, toGaruaError } from '../../../base';
import { type Decision, decide, explain, Measurements } from '../../controller';
import type { FlowEvent, OperatorState, OperatorStatus, PlacedFlow, PlacedOperator } from '../flow';
import { assignPartitions, partitionMoves } from '../partition';
import { OperatorKindError } from '../runtime';
import { Autoscale } from './autoscale';
import { OperatorMoveError, OperatorUnknownError } from './errors';
import { modelOf, type Slot, sitesFor, slotId } from './flow-model';
import type { FogView } from './fog-view';
import { type MoveParts, proceed } from './move';
import { type OperatorFigures, observe } from './observe';
import type { MoveRecord, OperatorRecord, OwnedInstance, OwnerTable } from './records';
import { digestOf, instanceName, partitionsOf, specOf, subscribersOf } from './specs';
import { mainObstacle, obstacle, type SurveyedHost, survey } from './survey';

const EVERY_SECONDS = 30;
const MOST_MOVES = 2;
/** Between two rounds where something is not as it should be, in ms: it doubles. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** How long a host that has refused an operator is not asked again, in ms. */
const REFUSAL = 60_000;

interface Wish {
  apply(): void;
  done(): void;
  fail(error: unknown): void;
}

export interface FlowKeeperOptions {
  view: FogView;
  table: OwnerTable;
}

/** Keeps the operators of one flow where they belong, one thing after another. */
export class FlowKeeper {
  #flow: PlacedFlow;
  readonly #view: FogView;
  readonly #table: OwnerTable;
  readonly #records = new Map<string, OperatorRecord>();
  readonly #errors = new Map<string, ErrorDocument>();
  readonly #figures = new Map<string, OperatorFigures>();
  readonly #scales = new Map<string, Autoscale>();
  readonly #measurements = new Measurements();
  /** Until when which host is not asked for which operator. */
  readonly #refusals = new Map<string, number>();
  readonly #listeners = new Set<(event: FlowEvent) => void>();
  readonly #told = new Map<string, string>();
  readonly #closing = new AbortController();
  #wishes: Wish[] = [];
  #wake = Promise.withResolvers<void>();
  #pause = FIRST_PAUSE;
  #decidedAt = Number.NEGATIVE_INFINITY;
  #hosts: SurveyedHost[] = [];
  #running: Promise<void>;

  constructor(flow: PlacedFlow, { view, table }: FlowKeeperOptions) {
    this.#flow = flow;
    this.#view = view;
    this.#table = table;
    for (const record of table.records(flow.id)) this.#records.set(record.operator, record);
    this.#running = this.#run();
  }

  /** The flow as it is now. What somebody did by hand counts until it changes. */
  update(flow: PlacedFlow): void {
    const isSame = JSON.stringify(flow) === JSON.stringify(this.#flow);
    this.#flow = flow;
    if (isSame) return;
    this.#table.putFlow(flow);
    this.#decidedAt = Number.NEGATIVE_INFINITY;
    this.#refusals.clear();
    for (const record of this.#records.values()) {
      record.pin = null;
      record.isScaledByHand = false;
      this.#save(record);
    }
    this.#hurry();
  }

  /** Events from now on, and each status as it is at first. */
  listen(listener: (event: FlowEvent) => void): () => void {
    this.#listeners.add(listener);
    for (const status of this.statuses()) listener({ type: 'status', status });
    this.#hurry();
    return () => this.#listeners.delete(listener);
  }

  /** Whether nothing is left of a flow that was removed. */
  get isOver(): boolean {
    return this.#flow.operators.length === 0 && this.#records.size === 0;
  }

  statuses(): OperatorStatus[] {
    return this.#flow.operators.map((operator) => this.#statusOf(operator));
  }

  /** Instances that are its, or about to be. */
  get known(): Set<string> {
    return new Set(
      [...this.#records.values()].flatMap(({ operator, instances, move }) =>
        [...instances, ...(move ? [move.from, move.to] : [])].map(({ number }) =>
          instanceName(this.#view.self.peerId, this.#flow.id, operator, number),
        ),
      ),
    );
  }

  /** @throws {OperatorUnknownError} {OperatorMoveError} */
  async move(id: string, site: string): Promise<OperatorStatus> {
    const operator = this.#operator(id);
    if (!this.#view.hosts().some((host) => host.site === site)) {
      throw new OperatorMoveError(`the fog has no site ${site}`, 'garua sites lists the sites.');
    }
    const since = this.#errors.get(id);
    await this.#wish(() => {
      const record = this.#recordOf(operator);
      record.pin = site;
      record.reason = `moved to ${site} by hand`;
      this.#save(record);
      this.#decidedAt = Number.NEGATIVE_INFINITY;
      for (const key of this.#refusals.keys()) if (key.startsWith(`${id} `)) this.#refusals.delete(key);
    });
    const record = this.#recordOf(operator);
    if (record.instances.length > 0 && record.instances.every((each) => each.site === site)) {
      return this.#statusOf(operator);
    }
    record.pin = null;
    this.#save(record);
    const error = this.#errors.get(id);
    if (error && error !== since) throw new OperatorMoveError(error.message, error.hint);
    const host = this.#hosts.filter((each) => each.site === site);
    const reasons = host.flatMap((each) => obstacle(operator, each) ?? []);
    throw new OperatorMoveError(
      reasons[0]?.message ?? `${site} has no room for ${operator.name}`,
      reasons[0]?.hint ?? 'Free some of its cores or memory first.',
    );
  }

  /** @throws {OperatorUnknownError} {OperatorMoveError} */
  async scale(id: string, instances: number): Promise<OperatorStatus> {
    const operator = this.#operator(id);
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
    await this.#wish(() => {
      const record = this.#recordOf(operator);
      record.wanted = instances;
      record.isScaledByHand = true;
      record.reason = `${instances} instances by hand`;
      this.#save(record);
    });
    const error = this.#errors.get(id);
    if (error && this.#recordOf(operator).instances.length !== instances) {
      throw new OperatorMoveError(error.message, error.hint);
    }
    return this.#statusOf(operator);
  }

  /** Ends all operators, wherever they are; those at hosts that are away end when these come back. */
  async remove(): Promise<void> {
    this.#flow = { ...this.#flow, operators: [] };
    this.#table.putFlow(this.#flow);
    await this.#wish(() => {});
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake.resolve();
    await this.#running.catch(() => {});
  }

  #operator(id: string): PlacedOperator {
    const found = this.#flow.operators.find((operator) => operator.id === id || operator.name === id);
    if (!found) throw new OperatorUnknownError(this.#flow.id, id);
    return found;
  }

  #wish(apply: () => void): Promise<void> {
    return new Promise((done, fail) => {
      this.#wishes.push({ apply, done, fail });
      this.#hurry();
    });
  }

  #hurry(): void {
    this.#pause = FIRST_PAUSE;
    this.#wake.resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers<void>();
      const wishes = this.#wishes;
      this.#wishes = [];
      try {
        for (const { apply } of wishes) apply();
        const isDone = await this.#round(wishes.length > 0);
        for (const { done } of wishes) done();
        if (isDone) this.#pause = FIRST_PAUSE;
        await this.#sleep(isDone ? (this.#flow.everySeconds ?? EVERY_SECONDS) * 1000 : this.#grow());
      } catch (error) {
        for (const { fail } of wishes) fail(error);
        if (!signal.aborted) await this.#sleep(this.#grow());
      }
    }
    for (const { fail } of this.#wishes) fail(new OperatorMoveError('the host ends', 'Ask again.'));
  }

  #grow(): number {
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, LONGEST_PAUSE);
    return pause;
  }

  async #sleep(milliseconds: number): Promise<void> {
    const stop = new AbortController();
    await Promise.race([
      delay(milliseconds, undefined, { signal: stop.signal, ref: false }).catch(() => {}),
      this.#wake.promise,
    ]);
    stop.abort();
  }

  /** @returns whether all is as it should be */
  async #round(isAsked: boolean): Promise<boolean> {
    this.#hosts = await survey(this.#view, this.#flow, this.#closing.signal);
    const now = performance.now();
    const { self } = this.#view;
    const seen = { self: self.peerId, flow: this.#flow, records: this.#records, hosts: this.#hosts, now };
    observe(seen, this.#measurements, this.#figures);
    for (const record of this.#records.values()) if (record.move) await this.#proceed(record);
    await this.#removeGone();
    // Nobody keeps the flow now: what runs goes on.
    if (this.#listeners.size === 0 && !isAsked && this.#flow.operators.length > 0) {
      this.#tell();
      return [...this.#records.values()].every(({ move }) => move === null);
    }
    for (const operator of this.#flow.operators) await this.#prepare(operator);
    await this.#place();
    for (const operator of this.#flow.operators) await this.#renew(operator);
    for (const operator of this.#flow.operators) await this.#part(operator);
    this.#tell();
    return this.#flow.operators.every((operator) => this.#isSettled(operator)) && this.#isClean();
  }

  /** Whether nothing is left of operators that are no more. */
  #isClean(): boolean {
    const ids = new Set(this.#flow.operators.map(({ id }) => id));
    return [...this.#records.keys()].every((id) => ids.has(id));
  }

  #isSettled(operator: PlacedOperator): boolean {
    const record = this.#records.get(operator.id);
    if (!record || this.#errors.has(operator.id)) return false;
    return record.move === null && record.instances.length === record.wanted && !record.owners.includes(null);
  }

  /** The record of an operator that is new; one that must begin anew is ended first. */
  async #prepare(operator: PlacedOperator): Promise<void> {
    const known = this.#records.get(operator.id);
    if (known && known.owners.length !== partitionsOf(operator)) await this.#end(known);
    const record = this.#recordOf(operator);
    const { least, most } = operator.instances;
    const scale = this.#scales.get(operator.id) ?? new Autoscale();
    this.#scales.set(operator.id, scale);
    const wanted = record.isScaledByHand ? record.wanted : Math.min(most, Math.max(least, record.wanted));
    if (wanted !== record.wanted || record.name !== operator.name) {
      Object.assign(record, { wanted, name: operator.name });
      this.#save(record);
    }
    const next = scale.next(operator, record, this.#figures.get(operator.id));
    if (next === record.wanted) return;
    record.reason = `${next} instances instead of ${record.wanted}: ${next > record.wanted ? 'more' : 'less'} load`;
    record.wanted = next;
    this.#save(record);
  }

  #recordOf({ id, name, keyed, instances }: PlacedOperator): OperatorRecord {
    const known = this.#records.get(id);
    if (known) return known;
    const record: OperatorRecord = {
      ...{ operator: id, name, next: 1, epoch: 0, instances: [], move: null, pin: null },
      owners: new Array(partitionsOf({ keyed })).fill(null),
      ...{ wanted: instances.least, isScaledByHand: false, reason: '' },
    };
    this.#records.set(id, record);
    this.#save(record);
    return record;
  }

  /** Solves where instances should be, starts those that are missing, and moves what had better be elsewhere. */
  async #place(): Promise<void> {
    const slots = this.#flow.operators.flatMap((operator) => this.#slotsOf(operator));
    const missing = slots.filter(({ current }) => !current);
    const isDue = performance.now() - this.#decidedAt >= (this.#flow.everySeconds ?? EVERY_SECONDS) * 990;
    if (missing.length === 0 && !isDue) return;
    const parts = {
      ...{ flow: this.#flow, slots, hosts: this.#hosts, site: this.#view.self.site },
      hearing: await this.#hearing(),
      measurements: this.#measurements,
      isRefused: (id: string, peerId: string) => this.#isRefused(id, peerId),
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
      const { horizonSeconds, mostMoves = MOST_MOVES } = this.#flow;
      const { signal } = this.#closing;
      decision = await decide(modelOf(parts), { horizonSeconds, mostMoves, signal });
    } catch (error) {
      const document = toGaruaError(error, 'placing the operators').toJSON();
      for (const { operator } of missing) this.#fail(operator.id, document);
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
      if (!slot.current) await this.#start(slot, to, reason);
      else await this.#moveSlot(slot, slot.current, to, reason);
    }
  }

  #slotsOf(operator: PlacedOperator): Slot[] {
    const record = this.#recordOf(operator);
    if (record.move) return [];
    const taken = record.instances.map((current) => ({ operator, record, slot: current.slot, current }));
    const free = Array.from({ length: partitionsOf(operator) }, (_, slot) => slot)
      .filter((slot) => !taken.some((each) => each.slot === slot))
      .slice(0, Math.max(0, record.wanted - taken.length))
      .map((slot) => ({ operator, record, slot, current: undefined }));
    return [...taken, ...free];
  }

  #explainNowhere(operator: PlacedOperator, slots: Slot[], parts: Parameters<typeof sitesFor>[1]): void {
    if (operator.body.kind !== 'subflow') {
      this.#fail(operator.id, new OperatorKindError(operator.name, operator.body.kind).toJSON());
      return;
    }
    const slot = slots.find((each) => each.operator === operator && !each.current)!;
    if (sitesFor(slot, parts).length > 0) return;
    const document = mainObstacle(operator, this.#hosts, this.#view.self.peerId);
    if (document) this.#fail(operator.id, document);
  }

  async #hearing(): Promise<Map<string, string[]>> {
    const topics = new Set(
      this.#flow.operators.flatMap(({ outputs }) => outputs.flatMap((output) => output.topics)),
    );
    const heard = await Promise.all(
      [...topics].map(async (topic) => [topic, await this.#view.sitesHearing(topic)] as const),
    );
    return new Map(heard.filter(([, sites]) => sites.length > 0));
  }

  /** The host at a site that fits and has most cores free. */
  #hostAt(operator: PlacedOperator, site: string): SurveyedHost | undefined {
    return this.#hosts
      .filter((host) => host.site === site && obstacle(operator, host) === undefined)
      .filter(({ peerId }) => !this.#isRefused(operator.id, peerId))
      .sort((one, other) => other.report!.free.cpu - one.report!.free.cpu)[0];
  }

  #newInstance(operator: PlacedOperator, record: OperatorRecord, slot: number, host: Host): OwnedInstance {
    const number = record.next;
    record.next += 1;
    const { peerId, name, site } = host;
    const digest = digestOf(this.#view.self.peerId, this.#flow, operator);
    return { slot, number, peerId, host: name, site, digest };
  }

  async #start({ operator, record, slot }: Slot, site: string, reason: string): Promise<void> {
    const host = this.#hostAt(operator, site);
    if (!host) return;
    const instance = this.#newInstance(operator, record, slot, { ...host });
    record.instances.push(instance);
    record.reason = reason;
    this.#save(record);
    this.#tell();
    try {
      await this.#expect(operator);
      await this.#startAt(operator, instance);
      this.#errors.delete(operator.id);
    } catch (error) {
      record.instances = record.instances.filter((each) => each !== instance);
      this.#save(record);
      this.#refuse(operator.id, host.peerId, error);
    }
  }

  /** What is published before an operator is there waits for it. */
  async #expect(operator: PlacedOperator): Promise<void> {
    const partitions = Array.from({ length: partitionsOf(operator) }, (_, index) => index);
    await Promise.all(this.#subscribers(operator, partitions).map((one) => this.#view.expectSubscriber(one)));
  }

  #startAt(operator: PlacedOperator, { peerId, number }: OwnedInstance): Promise<void> {
    const spec = specOf(this.#view.self.peerId, this.#flow, operator, number);
    return this.#view.runtime(peerId).start(spec, this.#closing.signal);
  }

  async #moveSlot({ operator, record, slot }: Slot, from: OwnedInstance, site: string, reason: string) {
    const host = this.#hostAt(operator, site);
    if (host)
      await this.#replace(operator, record, from, this.#newInstance(operator, record, slot, host), reason);
  }

  /** What has changed is replaced where it is, with its state. */
  async #renew(operator: PlacedOperator): Promise<void> {
    const record = this.#recordOf(operator);
    const digest = digestOf(this.#view.self.peerId, this.#flow, operator);
    for (const instance of [...record.instances]) {
      if (record.move || instance.digest === digest) continue;
      const host = this.#hosts.find(({ peerId }) => peerId === instance.peerId);
      if (!host?.report) continue;
      const { name, peerId, site } = host;
      const next = this.#newInstance(operator, record, instance.slot, { name, peerId, site });
      await this.#replace(operator, record, instance, next, 'replaced by what was deployed');
    }
  }

  async #replace(
    operator: PlacedOperator,
    record: OperatorRecord,
    from: OwnedInstance,
    to: OwnedInstance,
    reason: string,
  ): Promise<void> {
    const partitions = [...record.owners.keys()].filter((index) => record.owners[index] === from.number);
    await this.#begin(record, { step: 'start', from, to, replaces: true, partitions, epoch: 0, reason });
    if (this.#errors.has(operator.id)) this.#refuse(operator.id, to.peerId, undefined);
  }

  /** Gives each partition its instance, and ends instances that have none. */
  async #part(operator: PlacedOperator): Promise<void> {
    const record = this.#recordOf(operator);
    const running = record.instances.toSorted((one, other) => one.slot - other.slot).slice(0, record.wanted);
    if (record.move || running.length === 0) return;
    const bySlot = new Map(running.map((instance) => [`${instance.slot}`, instance]));
    const assigned = operator.keyed
      ? assignPartitions([...bySlot.keys()].map((id) => ({ id })))
      : [[...bySlot.keys()][0]!];
    const after = assigned.map((slot) => `${bySlot.get(slot)!.number}`);
    const moves = partitionMoves(
      record.owners.map((each) => (each === null ? undefined : `${each}`)),
      after,
    );
    for (const [pair, partitions] of Map.groupBy(moves, ({ from, to }) => `${from ?? ''}>${to}`)) {
      const [from, to] = pair
        .split('>')
        .map((number) => record.instances.find((instance) => `${instance.number}` === number));
      const indices = partitions.map(({ partition }) => partition);
      if (!from) await this.#hold(operator, record, to!, indices);
      else {
        const reason = record.reason || 'parted anew';
        const move = { from, to: to!, replaces: false, partitions: indices, epoch: 0, reason };
        await this.#begin(record, { step: 'start', ...move });
      }
      if (record.move || this.#errors.has(operator.id)) return;
    }
    for (const instance of [...record.instances]) {
      if (running.includes(instance) || record.owners.includes(instance.number)) continue;
      await this.#attempt(operator.id, async () => {
        await this.#removeInstance(record, instance);
        record.instances = record.instances.filter((each) => each !== instance);
        this.#save(record);
      });
    }
  }

  async #hold(operator: PlacedOperator, record: OperatorRecord, to: OwnedInstance, partitions: number[]) {
    record.epoch += 1;
    this.#save(record);
    await this.#attempt(operator.id, async () => {
      const { peerId } = this.#view.self;
      const instance = instanceName(peerId, this.#flow.id, operator.id, to.number);
      const subscribers = this.#subscribers(operator, partitions);
      await this.#view.runtime(to.peerId).hold(peerId, instance, subscribers, record.epoch);
      for (const partition of partitions) record.owners[partition] = to.number;
      this.#save(record);
    });
  }

  async #begin(record: OperatorRecord, move: MoveRecord): Promise<void> {
    record.epoch += 1;
    record.move = { ...move, epoch: record.epoch };
    this.#save(record);
    this.#tell();
    await this.#proceed(record);
  }

  /** Goes on with a move as far as it gets. */
  async #proceed(record: OperatorRecord): Promise<void> {
    const move = record.move!;
    const { from, to, reason } = move;
    await this.#attempt(record.operator, async () => {
      const outcome = await proceed(record, this.#moveParts(record));
      if (!outcome.moved) throw outcome.error;
      record.reason = reason;
      this.#save(record);
      const { pausedMs } = outcome;
      const event = { type: 'moved', operator: record.operator, from: from.site, to: to.site } as const;
      for (const listener of this.#listeners) listener({ ...event, pausedMs, reason });
    });
    this.#tell();
  }

  #moveParts(record: OperatorRecord): MoveParts {
    const { peerId } = this.#view.self;
    const isKeyed = record.owners.length > 1;
    return {
      owner: peerId,
      runtime: (host) => this.#view.runtime(host),
      instance: (number) => instanceName(peerId, this.#flow.id, record.operator, number),
      subscribers: (partitions) => subscribersOf(peerId, this.#flow.id, record.operator, partitions, isKeyed),
      start: async ({ to }) => {
        const operator = this.#flow.operators.find(({ id }) => id === record.operator);
        if (!operator) throw new OperatorUnknownError(this.#flow.id, record.operator);
        await this.#startAt(operator, to);
      },
      save: () => this.#save(record),
    };
  }

  async #removeGone(): Promise<void> {
    const ids = new Set(this.#flow.operators.map(({ id }) => id));
    for (const record of [...this.#records.values()]) {
      if (!ids.has(record.operator) && !record.move) await this.#end(record).catch(() => {});
    }
  }

  /** Ends an operator everywhere. @throws when a host that must be asked is away */
  async #end(record: OperatorRecord): Promise<void> {
    for (const instance of record.instances) await this.#removeInstance(record, instance);
    const partitions = [...record.owners.keys()];
    const { peerId } = this.#view.self;
    const isKeyed = record.owners.length > 1;
    for (const one of subscribersOf(peerId, this.#flow.id, record.operator, partitions, isKeyed)) {
      await this.#view.forgetSubscriber(one);
    }
    this.#records.delete(record.operator);
    this.#table.remove(this.#flow.id, record.operator);
    for (const map of [this.#errors, this.#figures, this.#scales, this.#told]) map.delete(record.operator);
    this.#measurements.forget(record.operator);
  }

  async #removeInstance({ operator }: OperatorRecord, { peerId, number }: OwnedInstance): Promise<void> {
    const owner = this.#view.self.peerId;
    const name = instanceName(owner, this.#flow.id, operator, number);
    await this.#view.runtime(peerId).remove(owner, name);
  }

  #subscribers({ id, keyed }: PlacedOperator, partitions: number[]): string[] {
    return subscribersOf(this.#view.self.peerId, this.#flow.id, id, partitions, keyed);
  }

  /** What fails is the operator's status, and tried again. */
  async #attempt(operator: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#errors.delete(operator);
    } catch (error) {
      this.#fail(operator, toGaruaError(error, `operator ${operator}`).toJSON());
    }
  }

  #fail(operator: string, document: ErrorDocument): void {
    this.#errors.set(operator, document);
  }

  #refuse(operator: string, peerId: string, error: unknown): void {
    this.#refusals.set(`${operator} ${peerId}`, performance.now() + REFUSAL);
    if (error !== undefined) this.#fail(operator, toGaruaError(error, 'starting the operator').toJSON());
  }

  #isRefused(operator: string, peerId: string): boolean {
    return (this.#refusals.get(`${operator} ${peerId}`) ?? 0) > performance.now();
  }

  #save(record: OperatorRecord): void {
    this.#table.put(this.#flow.id, record);
  }

  #tell(): void {
    for (const status of this.statuses()) {
      const text = JSON.stringify({ ...status, rate: null, cores: null, waiting: 0 });
      if (this.#told.get(status.operator) === text) continue;
      this.#told.set(status.operator, text);
      for (const listener of this.#listeners) listener({ type: 'status', status });
    }
  }

  #statusOf(operator: PlacedOperator): OperatorStatus {
    const record = this.#records.get(operator.id);
    const figures = this.#figures.get(operator.id);
    const error = this.#errors.get(operator.id);
    const away = record?.instances.filter(({ peerId }) => this.#isAway(peerId)) ?? [];
    return {
      ...{ flow: this.#flow.id, operator: operator.id, name: operator.name },
      state: this.#stateOf(record, away.length > 0, error),
      instances: (record?.instances ?? []).map(({ number, host, site }) => ({
        ...{ instance: `${number}`, host, site },
        partitions: record!.owners.filter((owner) => owner === number).length,
      })),
      ...{ rate: figures?.rate ?? null, cores: figures?.cores ?? null, waiting: figures?.waiting ?? 0 },
      reason: away.length > 0 ? `waits for ${away[0]!.host}, which is away` : (record?.reason ?? ''),
      ...(error && { error }),
    };
  }

  #isAway(peerId: string): boolean {
    return this.#hosts.some((host) => host.peerId === peerId && !host.isUp);
  }

  #stateOf(
    record: OperatorRecord | undefined,
    isAway: boolean,
    error: ErrorDocument | undefined,
  ): OperatorState {
    if (record?.move) return error ? 'waiting' : 'moving';
    if (isAway) return 'waiting';
    if (!record?.owners.every((owner) => owner !== null)) return error ? 'failed' : 'starting';
    return 'running';
  }
}

type Host = Pick<SurveyedHost, 'peerId' | 'name' | 'site'>;
