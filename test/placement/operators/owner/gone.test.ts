import assert from 'node:assert/strict';
import { withoutGone } from '../../../../lib/placement/operators/owner/gone';
import type {
  MoveRecord,
  OperatorRecord,
  OwnedInstance,
} from '../../../../lib/placement/operators/owner/records';

const at = (number: number, peerId: string): OwnedInstance => ({
  ...{ slot: 0, number, peerId, host: peerId, site: peerId, digest: '' },
});

/** An operator at host a, or on its way from there to host b. */
function record(step?: MoveRecord['step']): OperatorRecord {
  const [from, to] = [at(1, 'a'), at(2, 'b')];
  const hasMoved = step === 'release';
  return {
    ...{
      operator: 'o',
      name: 'o',
      next: 3,
      epoch: 7,
      wanted: 1,
      isScaledByHand: false,
      pin: null,
      reason: '',
    },
    owners: [hasMoved ? 2 : 1],
    instances: [hasMoved ? to : from],
    move: step ? { step, from, to, replaces: true, partitions: [0], epoch: 7, reason: '' } : null,
  };
}

/** What is left once a host has left the fog. */
function left(before: OperatorRecord, gone: string) {
  const isChanged = withoutGone(before, (peerId) => peerId !== gone);
  const { instances, owners, move } = before;
  return { isChanged, at: instances.map(({ peerId }) => peerId), owners, step: move?.step };
}

describe('the record of an operator whose host has left the fog', () => {
  it('forgets what ran there, and nothing else', () => {
    assert.deepEqual(left(record(), 'a'), { isChanged: true, at: [], owners: [null], step: undefined });
    assert.deepEqual(left(record(), 'b'), { isChanged: false, at: ['a'], owners: [1], step: undefined });
  });

  it('lets the target of a move go on without the source', () => {
    for (const step of ['hand-over', 'take-over', 'take-back'] as const) {
      assert.deepEqual(left(record(step), 'a'), {
        isChanged: true,
        at: ['b'],
        owners: [null],
        step: undefined,
      });
    }
    assert.deepEqual(left(record('release'), 'a'), {
      isChanged: true,
      at: ['b'],
      owners: [2],
      step: undefined,
    });
    assert.deepEqual(left(record('start'), 'a'), {
      isChanged: true,
      at: [],
      owners: [null],
      step: undefined,
    });
  });

  it('lets the source take back what was on its way to the target', () => {
    for (const step of ['hand-over', 'take-over'] as const) {
      const before = record(step);
      assert.deepEqual(left(before, 'b'), { isChanged: true, at: ['a'], owners: [1], step: 'take-back' });
      assert.equal(before.move?.epoch, 9);
    }
    assert.deepEqual(left(record('start'), 'b'), {
      isChanged: true,
      at: ['a'],
      owners: [1],
      step: undefined,
    });
  });
});
