import assert from 'node:assert/strict';
import {
  assignPartitions,
  PARTITIONS,
  type PartitionInstance,
  partitionMoves,
  partitionOf,
} from '../../../../lib/placement/operators/partition';
import { Random } from '../../../../lib/placement/search/random';

const ROUNDS = 200;

describe('placement, partitions', () => {
  it('spread keys evenly', () => {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (let key = 0; key < 64_000; key += 1) counts[partitionOf(`device-${key}`)]! += 1;
    assert.ok(Math.min(...counts) > 800 && Math.max(...counts) < 1200, `${counts}`);
  });

  it('are a fixed function of the key: state on disk is found again', () => {
    assert.deepEqual(['', 'a', 'b', 'sensor/1', 'é', '🌫'].map(partitionOf), [39, 62, 62, 44, 32, 59]);
  });

  it('go to whoever joins from the others, and never between those that stay', () => {
    eachFleet((instances, random) => {
      const before = assignPartitions(instances);
      const joined = [...instances, { id: 'newcomer', weight: random.between(0.2, 3) }];
      for (const { to } of partitionMoves(before, assignPartitions(joined))) assert.equal(to, 'newcomer');
    });
  });

  it('of whoever leaves go to the others, and no more move', () => {
    eachFleet((instances, random) => {
      if (instances.length === 1) return;
      const leaver = random.pick(instances).id;
      const rest = instances.filter(({ id }) => id !== leaver);
      const before = assignPartitions(instances);
      const moves = partitionMoves(before, assignPartitions(rest));
      assert.ok(moves.every(({ from }) => from === leaver));
      assert.equal(moves.length, before.filter((id) => id === leaver).length);
    });
  });

  it('move only to an instance whose weight grows', () => {
    eachFleet((instances, random) => {
      const heavier = random.below(instances.length);
      const after = instances.map((each, at) =>
        at === heavier ? { ...each, weight: (each.weight ?? 1) * random.between(1, 4) } : each,
      );
      for (const { to } of partitionMoves(assignPartitions(instances), assignPartitions(after))) {
        assert.equal(to, instances[heavier]!.id);
      }
    });
  });

  it('do not depend on the order in which instances are listed', () => {
    eachFleet((instances) => {
      assert.deepEqual(assignPartitions(instances.toReversed()), assignPartitions(instances));
    });
  });

  it('follow the weights on average', () => {
    let heavy = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const owners = assignPartitions([{ id: `a${round}`, weight: 3 }, { id: `b${round}` }]);
      heavy += owners.filter((id) => id === `a${round}`).length;
    }
    const share = heavy / (ROUNDS * PARTITIONS);
    assert.ok(Math.abs(share - 0.75) < 0.02, `${share}`);
  });

  it('name what is wrong with the instances', () => {
    const refusal = { code: 'ERR_INVALID_ARGUMENT' };
    assert.throws(() => assignPartitions([]), refusal);
    assert.throws(() => assignPartitions([{ id: 'a', weight: 0 }]), refusal);
    assert.throws(() => assignPartitions([{ id: 'a' }, { id: 'a' }]), refusal);
  });
});

function eachFleet(check: (instances: PartitionInstance[], random: Random) => void): void {
  for (let seed = 0; seed < ROUNDS; seed += 1) {
    const random = new Random(seed);
    const instances = Array.from({ length: 1 + random.below(8) }, (_, at) => ({
      id: `host-${seed}-${at}`,
      ...(random.fraction() < 0.5 ? { weight: random.between(0.2, 3) } : {}),
    }));
    check(instances, random);
  }
}
