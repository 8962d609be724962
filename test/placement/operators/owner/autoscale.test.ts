import assert from 'node:assert/strict';
import type { PlacedOperator } from '../../../../lib/placement';
import { Autoscale } from '../../../../lib/placement/operators/owner/autoscale';
import type { OperatorFigures } from '../../../../lib/placement/operators/owner/observe';
import type { OperatorRecord } from '../../../../lib/placement/operators/owner/records';
import { counter } from '../../../host/operators/operator-fog';

const SHARE = 0.5;

/** What becomes of the number of instances after looks in a row, each of which sees the same. */
function numberAfter(
  looks: number,
  seen: { wanted: number; cores: number | null; waiting?: number; before?: number },
  more: { operator?: Partial<PlacedOperator>; byHand?: boolean } = {},
): number {
  const instances = { least: 1, most: 3 };
  const operator = counter('o', { keyed: true, key: 'key', cpu: SHARE, instances, ...more.operator });
  const { cores, waiting = 0, before = waiting } = seen;
  const record = { wanted: seen.wanted, isScaledByHand: more.byHand === true } as OperatorRecord;
  const figures = { cores, rate: 1, waiting, waitedBefore: before } as OperatorFigures;
  const scale = new Autoscale();
  for (let look = 0; look < looks; look += 1) record.wanted = scale.next(operator, record, figures);
  return record.wanted;
}

describe('the number of instances of an operator', () => {
  it('grows by one where handlers are busy, or what waits grows, at two looks in a row', () => {
    assert.equal(numberAfter(1, { wanted: 1, cores: 0.45 }), 1);
    assert.equal(numberAfter(2, { wanted: 1, cores: 0.45 }), 2);
    assert.equal(numberAfter(2, { wanted: 1, cores: 0.1, waiting: 600, before: 500 }), 2);
    // What waits and does not grow is being worked off.
    assert.equal(numberAfter(9, { wanted: 1, cores: 0.2, waiting: 600, before: 600 }), 1);
    assert.equal(numberAfter(9, { wanted: 3, cores: 1.5 }), 3);
  });

  it('falls by one where handlers are idle for long, and one less would not be busy at once', () => {
    assert.equal(numberAfter(5, { wanted: 2, cores: 0.1 }), 2);
    assert.equal(numberAfter(6, { wanted: 2, cores: 0.1 }), 1);
    assert.equal(numberAfter(20, { wanted: 2, cores: 0.1, waiting: 600 }), 2);
    assert.equal(numberAfter(20, { wanted: 2, cores: 0.45 }), 2);
    assert.equal(numberAfter(20, { wanted: 1, cores: 0 }), 1);
  });

  it('stays where nothing was measured, somebody chose it, or messages have no key', () => {
    assert.equal(numberAfter(9, { wanted: 1, cores: null, waiting: 900, before: 0 }), 1);
    assert.equal(numberAfter(9, { wanted: 1, cores: 0.5 }, { byHand: true }), 1);
    assert.equal(numberAfter(9, { wanted: 1, cores: 0.5 }, { operator: { keyed: false } }), 1);
  });
});
