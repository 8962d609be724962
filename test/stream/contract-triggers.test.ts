import assert from 'node:assert/strict';
import { run } from './run';

const collect = [{ op: 'collect' }];
const tumbling = { type: 'tumbling', size: 10, aggregates: collect };

/** As contract.test.ts: when panes fire other than by the watermark. */
describe('the window contract: triggers', () => {
  const check = (title: string, spec: unknown, steps: (number | string | object)[], expected: string[]) =>
    it(title, async () => assert.deepEqual(await run(spec, steps), expected));

  describe('early panes', () => {
    check(
      'after every n new events',
      { ...tumbling, early: { events: 2 } },
      [1, 2, 3, 4, 5, 'end'],
      ['2: 0..10 early#0 n=2 [[1,2]]', '4: 0..10 early#1 n=2 [[3,4]]', 'end: 0..10 on-time#2 n=1 [[5]]'],
    );
    check(
      'accumulating',
      { ...tumbling, early: { events: 2 }, accumulation: 'accumulating' },
      [1, 2, 3, 'end'],
      ['2: 0..10 early#0 n=2 [[1,2]]', 'end: 0..10 on-time#1 n=3 [[1,2,3]]'],
    );
    check(
      'at each multiple of n on the clock, for windows with new events',
      { ...tumbling, early: { every: 100 } },
      ['C 950', 1, 'C 999', 'C 1000', 'C 1100', 2, 'C 1199', 'C 1250', 'end'],
      ['C 1000: 0..10 early#0 n=1 [[1]]', 'C 1250: 0..10 early#1 n=1 [[2]]', 'end: 0..10 on-time#2 n=0 [[]]'],
    );
    check(
      'the on-time pane comes also without new events',
      { ...tumbling, early: { events: 1 } },
      [1, 'end'],
      ['1: 0..10 early#0 n=1 [[1]]', 'end: 0..10 on-time#1 n=0 [[]]'],
    );
    check(
      'a session keeps its index',
      { type: 'session', gap: 10, early: { events: 1 }, aggregates: collect },
      [1, 15, 8, 'end'],
      [
        '1: 1..11 early#0 n=1 [[1]]',
        '15: 15..25 early#0 n=1 [[15]]',
        '8: 1..25 early#2 n=1 [[8]]',
        'end: 1..25 on-time#3 n=0 [[]]',
      ],
    );
  });

  describe('processing time', () => {
    const processing = { ...tumbling, time: 'processing' };
    check(
      'events get the time of the clock, which takes the place of the watermark',
      processing,
      ['C 1001', { value: 'a' }, { time: 5, value: 'b' }, 'C 1009', 'C 1010'],
      ['C 1010: 1000..1010 on-time#0 n=2 [["a","b"]]'],
    );
    check(
      'an arrival does not move the clock',
      processing,
      ['C 1', 50, 100, 'C 9', 'end'],
      ['end: 0..10 on-time#0 n=2 [[50,100]]'],
    );
    check(
      'a clock that jumps back stands still',
      processing,
      ['C 1009', 1, 'C 5', 2, 'C 1010'],
      ['C 1010: 1000..1010 on-time#0 n=2 [[1,2]]'],
    );
    check(
      'a clock that jumps ahead fires what it passed',
      processing,
      ['C 1', 1, 'C 86400000', 2, 'end'],
      ['C 86400000: 0..10 on-time#0 n=1 [[1]]', 'end: 86400000..86400010 on-time#0 n=1 [[2]]'],
    );
    check(
      'watermark lines mean nothing',
      processing,
      ['C 1', 1, 'W 500', 2, 'end'],
      ['end: 0..10 on-time#0 n=2 [[1,2]]'],
    );
    check(
      'sliding fires once the clock is past',
      { ...processing, type: 'sliding' },
      ['C 5', 1, 2, 'C 6'],
      ['C 6: -5..5 on-time#0 n=2 [[1,2]] | -5..5 on-time#0 n=2 [[1,2]]'],
    );
    check(
      'a jump does what the small steps would have done',
      { ...processing, early: { every: 4 } },
      ['C 1', 1, 'C 100'],
      ['C 100: 0..10 early#0 n=1 [[1]] | 0..10 on-time#1 n=0 [[]]'],
    );
    check(
      'early at a multiple that is also the end: only on-time',
      { ...processing, early: { every: 5 } },
      ['C 6', 1, 'C 10'],
      ['C 10: 0..10 on-time#0 n=1 [[1]]'],
    );
  });

  it('daylight saving time does not matter: windows are in UTC milliseconds', async () => {
    const hour = 3_600_000;
    // In Paris, 29 March 2026 has 23 hours and 25 October 2026 has 25.
    for (const day of ['2026-03-29', '2026-10-25']) {
      const midnight = Date.parse(`${day}T00:00:00Z`);
      const said = await run({ type: 'tumbling', size: hour, aggregates: [{ op: 'count' }] }, [
        ...Array.from({ length: 24 }, (_, n) => ({ time: midnight + n * hour + 1 })),
        'end',
      ]);
      const panes = said[0]!.slice('end: '.length).split(' | ');
      assert.deepEqual(
        panes,
        Array.from(
          { length: 24 },
          (_, n) => `${midnight + n * hour}..${midnight + (n + 1) * hour} on-time#0 n=1 [1]`,
        ),
      );
    }
  });
});
