import type { PlacedOperator } from '../flow';
import { OperatorUnknownError } from './errors';
import type { Slot } from './flow-model';
import type { FlowState } from './flow-state';
import { type MoveParts, proceed } from './move';
import type { MoveRecord, OperatorRecord, OwnedInstance } from './records';
import { digestOf, partitionsOf, specOf, subscribersOf } from './specs';
import { obstacle, type SurveyedHost } from './survey';

type Host = Pick<SurveyedHost, 'peerId' | 'name' | 'site'>;

/** Starts, moves, replaces and ends the instances of a flow's operators. What fails is the operator's status. */
export class Instances {
  readonly #state: FlowState;

  constructor(state: FlowState) {
    this.#state = state;
  }

  async start({ operator, record, slot }: Slot, site: string, reason: string): Promise<void> {
    const host = this.#hostAt(operator, site);
    if (!host) return;
    const instance = this.#newInstance(operator, record, slot, { ...host });
    record.instances.push(instance);
    record.reason = reason;
    this.#state.save(record);
    this.#state.tell();
    await this.#begun(operator, record, instance);
  }

  async moveSlot({ operator, record, slot }: Slot, from: OwnedInstance, site: string, reason: string) {
    const host = this.#hostAt(operator, site);
    if (host)
      await this.#replace(operator, record, from, this.#newInstance(operator, record, slot, host), reason);
  }

  /** What has changed is replaced where it is, with its state. */
  async renew(operator: PlacedOperator): Promise<void> {
    const record = this.#state.recordOf(operator);
    const digest = digestOf(this.#state.self, this.#state.flow, operator);
    for (const instance of [...record.instances]) {
      if (record.move || instance.digest === digest) continue;
      const host = this.#state.hosts.find(({ peerId }) => peerId === instance.peerId);
      if (!host?.report) continue;
      const { name, peerId, site } = host;
      const next = this.#newInstance(operator, record, instance.slot, { name, peerId, site });
      await this.#replace(operator, record, instance, next, 'replaced by what was deployed');
    }
  }

  /** Instances that their hosts do not know any more, as when one has lost its disk, are to be started again. */
  async revive(operator: PlacedOperator): Promise<void> {
    const record = this.#state.recordOf(operator);
    if (record.move) return;
    for (const instance of [...record.instances]) {
      const report = this.#state.hosts.find(({ peerId }) => peerId === instance.peerId)?.report;
      const name = this.#state.instance(operator.id, instance.number);
      if (!report || report.instances.some((each) => each.instance === name)) continue;
      record.owners = record.owners.map((owner) => (owner === instance.number ? null : owner));
      this.#state.save(record);
      await this.#begun(operator, record, instance);
    }
  }

  /** Goes on with a move as far as it gets. */
  async proceed(record: OperatorRecord): Promise<void> {
    const move = record.move!;
    const { from, to, reason } = move;
    await this.#state.attempt(record.operator, async () => {
      const outcome = await proceed(record, this.#moveParts(record));
      if (!outcome.moved) throw outcome.error;
      record.reason = reason;
      this.#state.save(record);
      const { pausedMs } = outcome;
      const event = { type: 'moved', operator: record.operator, from: from.site, to: to.site } as const;
      this.#state.emit({ ...event, pausedMs, reason });
    });
    this.#state.tell();
  }

  /** Ends an operator everywhere. @throws when a host that must be asked is away */
  async end(record: OperatorRecord): Promise<void> {
    for (const instance of record.instances) await this.removeInstance(record, instance);
    const partitions = [...record.owners.keys()];
    const { peerId } = this.#state.view.self;
    const isKeyed = record.owners.length > 1;
    for (const one of subscribersOf(peerId, this.#state.flow.id, record.operator, partitions, isKeyed)) {
      await this.#state.view.forgetSubscriber(one);
    }
    this.#state.drop(record);
  }

  /** Starts an instance that is on record, or takes it off the record. */
  async #begun(operator: PlacedOperator, record: OperatorRecord, instance: OwnedInstance): Promise<void> {
    try {
      await this.#expect(operator);
      await this.#startAt(operator, instance);
      this.#state.errors.delete(operator.id);
    } catch (error) {
      record.instances = record.instances.filter((each) => each !== instance);
      this.#state.save(record);
      this.#state.refuse(operator.id, instance.peerId, error);
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
    await this.begin(record, { step: 'start', from, to, replaces: true, partitions, epoch: 0, reason });
    if (this.#state.errors.has(operator.id)) this.#state.refuse(operator.id, to.peerId, undefined);
  }

  async begin(record: OperatorRecord, move: MoveRecord): Promise<void> {
    record.epoch += 1;
    record.move = { ...move, epoch: record.epoch };
    this.#state.save(record);
    this.#state.tell();
    await this.proceed(record);
  }

  #moveParts(record: OperatorRecord): MoveParts {
    const { peerId } = this.#state.view.self;
    const isKeyed = record.owners.length > 1;
    return {
      owner: peerId,
      signal: this.#state.signal,
      runtime: (host) => this.#state.view.runtime(host),
      isMember: (host) => this.#state.isMember(host),
      instance: (number) => this.#state.instance(record.operator, number),
      subscribers: (partitions) =>
        subscribersOf(peerId, this.#state.flow.id, record.operator, partitions, isKeyed),
      start: async ({ to }) => {
        const operator = this.#state.flow.operators.find(({ id }) => id === record.operator);
        if (!operator) throw new OperatorUnknownError(this.#state.flow.id, record.operator);
        await this.#startAt(operator, to);
      },
      save: () => this.#state.save(record),
    };
  }

  async removeInstance({ operator }: OperatorRecord, { peerId, number }: OwnedInstance): Promise<void> {
    const name = this.#state.instance(operator, number);
    await this.#state.view.runtime(peerId).remove(this.#state.self, name, this.#state.signal);
  }

  /** The host at a site that fits and has most cores free. */
  #hostAt(operator: PlacedOperator, site: string): SurveyedHost | undefined {
    return this.#state.hosts
      .filter((host) => host.site === site && obstacle(operator, host) === undefined)
      .filter(({ peerId }) => !this.#state.isRefused(operator.id, peerId))
      .sort((one, other) => other.report!.free.cpu - one.report!.free.cpu)[0];
  }

  #newInstance(operator: PlacedOperator, record: OperatorRecord, slot: number, host: Host): OwnedInstance {
    const number = record.next;
    record.next += 1;
    const { peerId, name, site } = host;
    const digest = digestOf(this.#state.self, this.#state.flow, operator);
    return { slot, number, peerId, host: name, site, digest };
  }

  /** What is published before an operator is there waits for it. */
  async #expect(operator: PlacedOperator): Promise<void> {
    const partitions = Array.from({ length: partitionsOf(operator) }, (_, index) => index);
    await Promise.all(
      this.#state.subscribers(operator, partitions).map((one) => this.#state.view.expectSubscriber(one)),
    );
  }

  #startAt(operator: PlacedOperator, instance: OwnedInstance): Promise<void> {
    const spec = specOf(this.#state.self, this.#state.flow, operator, instance);
    return this.#state.view.runtime(instance.peerId).start(spec, this.#state.signal);
  }
}
