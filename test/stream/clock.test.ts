import assert from 'node:assert/strict';
import { SteadyClock } from '../../lib/stream';

describe('SteadyClock', () => {
  function clockAt(start: number, notBefore?: number) {
    const time = { wall: start, monotonic: 0 };
    const clock = new SteadyClock(
      notBefore,
      () => time.wall,
      () => time.monotonic,
    );
    const pass = (milliseconds: number) => {
      time.wall += milliseconds;
      time.monotonic += milliseconds;
      return clock.now();
    };
    return { time, clock, pass };
  }

  it('follows the wall clock, and its jumps ahead', () => {
    const { time, pass } = clockAt(1_000);
    assert.equal(pass(5), 1_005);
    time.wall += 3_600_000;
    assert.equal(pass(5), 3_601_010);
  });

  it('goes on when the wall clock is set back, and follows it again once it has caught up', () => {
    const { time, pass } = clockAt(10_000);
    time.wall -= 1_000;
    assert.equal(pass(5), 10_005);
    assert.equal(pass(500), 10_505);
    time.wall += 2_000;
    assert.equal(pass(0), 11_505);
  });

  it('does not go behind a reading from before a restart', () => {
    const { pass } = clockAt(1_000, 5_000);
    assert.equal(pass(10), 5_010);
  });
});
