import assert from 'node:assert/strict';
import { type Decision, explain, type Move } from '../../../lib/placement/controller';

function said(saves: Move['saves'], properties: Partial<Move> = {}): string {
  const move = { operator: 'window', from: 'Hill', to: 'Quay', isForced: false, saves, ...properties };
  const decision: Decision = { moves: [move], placement: {}, before: 1, after: 1, wanted: 1 };
  return explain(decision)[0]!;
}

describe('placement, decisions in plain words', () => {
  it('say what a move saves and costs', () => {
    const words = [
      [18.2, 40_000, 'saves 18 ms and 40.0 kB/s'],
      [2.34, 0, 'saves 2.3 ms'],
      [0, 999, 'saves 999 B/s'],
      [-3, 2_000_000, 'saves 2.0 MB/s, costs 3 ms'],
      [0, 0, 'makes a better placement of all'],
      [-1, -500, 'makes a better placement of all, costs 1 ms and 500 B/s'],
    ] as const;
    for (const [latencyMs, bytesPerSecond, text] of words) {
      assert.equal(said({ latencyMs, bytesPerSecond }), `window moved to Quay: ${text}`);
    }
  });

  it('say what is placed, and what cannot stay', () => {
    const saves = { latencyMs: 1, bytesPerSecond: 1 };
    assert.equal(said(saves, { from: undefined, isForced: true }), 'window placed at Quay');
    assert.equal(said(saves, { isForced: true }), 'window moved to Quay: it cannot stay at Hill');
  });
});
