import assert from 'node:assert/strict';
import { Smoothed } from '../../../lib/placement/controller';

describe('placement, smoothed measurements', () => {
  it('start with the first sample', () => {
    const smoothed = new Smoothed(1000);
    assert.equal(smoothed.value, undefined);
    smoothed.update(7, 500);
    assert.equal(smoothed.value, 7);
  });

  it('have made half of a step after a half-life, however many samples that takes', () => {
    for (const samples of [1, 4, 100]) {
      const smoothed = new Smoothed(1000);
      smoothed.update(0, 0);
      for (let sample = 1; sample <= samples; sample += 1) smoothed.update(10, (1000 * sample) / samples);
      assert.ok(Math.abs(smoothed.value! - 5) < 1e-9, `${samples}: ${smoothed.value}`);
    }
  });

  it('follow one outlier only a little', () => {
    const smoothed = new Smoothed(60_000);
    for (let second = 0; second < 300; second += 1)
      smoothed.update(second === 200 ? 1000 : 10, second * 1000);
    assert.ok(smoothed.value! < 20);
  });
});
