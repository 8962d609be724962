import type { PlacedOperator } from '../flow';
import { assignPartitions, partitionMoves } from '../partition';
import type { FlowState } from './flow-state';
import type { Instances } from './instances';
import type { OperatorRecord, OwnedInstance } from './records';
import { partitionsOf } from './specs';

/** Parts the input of operators among their instances. */
export class Parting {
  readonly #state: FlowState;
  readonly #instances: Instances;

  constructor(state: FlowState, instances: Instances) {
    this.#state = state;
    this.#instances = instances;
  }

  /** Gives each partition its instance, and ends instances that have none. */
  async part(operator: PlacedOperator): Promise<void> {
    const record = this.#state.recordOf(operator);
    const running = record.instances.toSorted((one, other) => one.slot - other.slot).slice(0, record.wanted);
    if (record.move || running.length === 0 || record.owners.length !== partitionsOf(operator)) return;
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
        await this.#instances.begin(record, { step: 'start', ...move });
      }
      if (record.move || this.#state.errors.has(operator.id)) return;
    }
    for (const instance of [...record.instances]) {
      if (running.includes(instance) || record.owners.includes(instance.number)) continue;
      await this.#state.attempt(operator.id, async () => {
        await this.#instances.removeInstance(record, instance);
        record.instances = record.instances.filter((each) => each !== instance);
        this.#state.save(record);
      });
    }
  }

  async #hold(operator: PlacedOperator, record: OperatorRecord, to: OwnedInstance, partitions: number[]) {
    record.epoch += 1;
    this.#state.save(record);
    await this.#state.attempt(operator.id, async () => {
      const { self, signal } = this.#state;
      const instance = this.#state.instance(operator.id, to.number);
      const subscribers = this.#state.subscribers(operator, partitions);
      await this.#state.view.runtime(to.peerId).hold(self, instance, subscribers, record.epoch, signal);
      for (const partition of partitions) record.owners[partition] = to.number;
      this.#state.save(record);
    });
  }
}
