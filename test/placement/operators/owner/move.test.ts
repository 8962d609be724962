import assert from 'node:assert/strict';
import type { OperatorRuntime, TakeOver } from '../../../../lib/placement';
import { type MoveParts, proceed } from '../../../../lib/placement/operators/owner/move';
import type { OperatorRecord, OwnedInstance } from '../../../../lib/placement/operators/owner/records';

/** What goes wrong with one thing that an owner does: a request lost, an answer lost, or the owner killed. */
type Fault = 'request' | 'answer' | 'killed before' | 'killed after';
const FAULTS: Fault[] = ['request', 'answer', 'killed before', 'killed after'];

class Killed extends Error {}

/** What one host knows of the one subscriber, on its disk. */
interface Disk {
  state: 'nothing' | 'held' | 'left';
  epoch: number;
  instance: boolean;
  knows: string | null;
}

/** Two hosts, and an owner that survives by what it has written down. */
class World {
  readonly disks: Record<string, Disk> = {
    a: { state: 'held', epoch: 1, instance: true, knows: 'all' },
    b: { state: 'nothing', epoch: 0, instance: false, knows: null },
  };
  saved: string;
  /** By the number of what is done, from 1. */
  readonly faults: ReadonlyMap<number, Fault>;
  done = 0;
  #isDead = false;
  #record: OperatorRecord;

  constructor(faults: [number, Fault][]) {
    this.faults = new Map(faults);
    const at = (number: number, peerId: string): OwnedInstance => ({
      ...{ slot: 0, number, peerId, host: peerId, site: peerId, digest: '' },
    });
    this.#record = {
      ...{ operator: 'o', name: 'o', next: 3, epoch: 2, owners: [1], wanted: 1, isScaledByHand: false },
      ...{ pin: null, reason: '', instances: [at(1, 'a')] },
      move: {
        ...{ step: 'start', from: at(1, 'a'), to: at(2, 'b'), replaces: true, partitions: [0], epoch: 2 },
        reason: '',
      },
    };
    this.saved = JSON.stringify(this.#record);
  }

  /** Goes on until nothing is under way. */
  async settle(): Promise<OperatorRecord> {
    for (let attempt = 0; attempt < 12 && this.#record.move; attempt += 1) {
      try {
        await proceed(this.#record, this.#parts());
      } catch (error) {
        if (this.#isDead) this.#record = JSON.parse(this.saved);
        this.#isDead = false;
        assert.ok(error instanceof Error);
      }
      const holders = Object.values(this.disks).filter(({ state }) => state === 'held');
      assert.ok(holders.length <= 1, `two hold it: ${JSON.stringify(this.disks)}`);
    }
    return this.#record;
  }

  #parts(): MoveParts {
    return {
      owner: 'owner',
      signal: new AbortController().signal,
      isMember: () => true,
      runtime: (peerId) => this.#runtime(peerId) as unknown as OperatorRuntime,
      instance: (number) => String(number),
      subscribers: () => ['s'],
      start: () =>
        this.#does(async () => {
          this.disks.b!.instance = true;
        }),
      save: () => {
        const fault = this.#next();
        this.saved = JSON.stringify(this.#record);
        if (fault === 'killed after') this.#die();
      },
    };
  }

  async #does<T>(work: () => Promise<T>): Promise<T> {
    const fault = this.#next();
    if (fault === 'request') throw new Error('the request was lost');
    const result = await work();
    if (fault === 'answer') throw new Error('the answer was lost');
    if (fault === 'killed after') this.#die();
    return result;
  }

  /** Who is killed does nothing more. */
  #next(): Fault | undefined {
    if (this.#isDead) throw new Killed();
    this.done += 1;
    const fault = this.faults.get(this.done);
    if (fault === 'killed before') this.#die();
    return fault;
  }

  #die(): never {
    this.#isDead = true;
    throw new Killed();
  }

  #runtime(peerId: string): Partial<OperatorRuntime> {
    const disk = this.disks[peerId]!;
    return {
      handOver: () =>
        this.#does(async () => {
          assert.ok(disk.instance);
          if (disk.state === 'nothing') throw new Error('it is not here');
          disk.state = 'left';
          return { state: disk.knows };
        }),
      takeOver: (_owner: string, _instance: string, { from, epoch, state }: TakeOver) =>
        this.#does(async () => {
          assert.ok(disk.instance);
          if (disk.state === 'held') return;
          const other = this.disks[from]!;
          if (other.state !== 'left' || other.epoch >= epoch) throw new Error('it has not been handed off');
          Object.assign(disk, { state: 'held', epoch, knows: state });
        }),
      renounce: () => this.#does(async () => disk.state !== 'held'),
      takeBack: (_owner: string, _instance: string, _subscribers: string[], epoch: number) =>
        this.#does(async () => {
          assert.ok(disk.instance);
          if (disk.state === 'left') Object.assign(disk, { state: 'held', epoch });
        }),
      release: () =>
        this.#does(async () => {
          if (disk.state === 'left') Object.assign(disk, { state: 'nothing', knows: null });
        }),
      remove: () =>
        this.#does(async () => {
          assert.notEqual(disk.state, 'held', 'what holds it is removed');
          disk.instance = false;
        }),
    };
  }
}

async function check(faults: [number, Fault][]): Promise<number> {
  const world = new World(faults);
  const record = await world.settle();
  const what = `${JSON.stringify(faults)}: ${JSON.stringify(world.disks)}`;
  assert.equal(record.move, null, what);
  const held = Object.entries(world.disks).filter(([, { state }]) => state === 'held');
  assert.equal(held.length, 1, what);
  const [peerId, { knows }] = held[0]!;
  assert.equal(knows, 'all', what);
  const owner = record.instances.find(({ number }) => number === record.owners[0]);
  assert.equal(owner?.peerId, peerId, what);
  assert.ok(JSON.parse(world.saved).epoch >= world.disks[peerId]!.epoch, what);
  return world.done;
}

describe('a move of an operator', () => {
  it('hands over, and leaves nothing at the source', async () => {
    const world = new World([]);
    const { instances, owners } = await world.settle();
    assert.deepEqual([instances.map(({ peerId }) => peerId), owners], [['b'], [2]]);
    assert.deepEqual(world.disks.a, { state: 'nothing', epoch: 1, instance: false, knows: null });
  });

  it('ends with one instance that knows all, whatever fails at any two steps', async () => {
    const steps = await check([]);
    for (let first = 1; first <= steps + 4; first += 1) {
      for (const fault of FAULTS) {
        const total = await check([[first, fault]]);
        for (let second = first + 1; second <= total + 2; second += 1) {
          for (const other of FAULTS) {
            await check([
              [first, fault],
              [second, other],
            ]);
          }
        }
      }
    }
  });
});
