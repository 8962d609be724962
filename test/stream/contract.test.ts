import assert from 'node:assert/strict';
import { run } from './run';

const collect = [{ op: 'collect' }];
const tumbling = { type: 'tumbling', size: 10, aggregates: collect };
const e = (time: number, key: string, value: unknown = time) => ({ time, key, value });

/** Each sentence of the contract of `garua window`, with the panes that it means. */
describe('the window contract', () => {
  const check = (title: string, spec: unknown, steps: (number | string | object)[], expected: string[]) =>
    it(title, async () => assert.deepEqual(await run(spec, steps), expected));

  describe('watermark', () => {
    check(
      'follows the largest event time, less the bound on disorder',
      { ...tumbling, outOfOrderness: 5 },
      [1, 14, 2, 15],
      ['15: 0..10 on-time#0 n=2 [[1,2]]'],
    );
    check(
      'is the smallest over the sources seen, late events counted',
      { ...tumbling, outOfOrderness: 0 },
      [
        { time: 5, value: 5, source: 'a' },
        { time: 3, value: 3, source: 'b' },
        { time: 30, value: 30, source: 'a' },
        { time: 12, value: 12, source: 'b' },
      ],
      ['{"time":12,"value":12,"source":"b"}: 0..10 on-time#0 n=2 [[3,5]]'],
    );
    check(
      'a new source that is behind does not make it fall',
      { ...tumbling, outOfOrderness: 0 },
      [12, { time: 9, value: 9, source: 'b' }, { time: 11, value: 11, source: 'b' }],
      ['{"time":9,"value":9,"source":"b"}: late {"time":9,"value":9,"source":"b"}'],
    );
    check(
      'a watermark line raises it to its value',
      tumbling,
      [1, 'W 9', 'W 10'],
      ['W 10: 0..10 on-time#0 n=1 [[1]]'],
    );
    check(
      'a lower watermark line changes nothing',
      tumbling,
      [11, 'W 10', 'W 1', 9],
      ['9: late {"time":9,"value":9}'],
    );
    check(
      'without outOfOrderness events do not move it',
      tumbling,
      [1, 1000, 2, 'end'],
      ['end: 0..10 on-time#0 n=2 [[1,2]] | 1000..1010 on-time#0 n=1 [[1000]]'],
    );
    check(
      'an event is compared with the watermark before it',
      { ...tumbling, outOfOrderness: 0 },
      [25, 19],
      ['19: late {"time":19,"value":19}'],
    );
    check(
      'a future event is set aside and moves nothing',
      { ...tumbling, outOfOrderness: 0, maxAhead: 100 },
      [1, 102, 101, 201],
      [
        '102: future {"time":102,"value":102}',
        '101: 0..10 on-time#0 n=1 [[1]]',
        '201: 100..110 on-time#0 n=1 [[101]]',
      ],
    );
    check(
      'each source has its own future, and its first event none',
      { ...tumbling, outOfOrderness: 0, maxAhead: 10 },
      [1, { time: 500, source: 'b' }, 12],
      ['12: future {"time":12,"value":12}'],
    );
    check(
      'a silent source holds the others up until it is idle',
      { ...tumbling, outOfOrderness: 0, idleTimeout: 60 },
      [{ time: 1, source: 'a' }, { time: 2, source: 'b' }, 'C 50', { time: 30, source: 'b' }, 'C 59', 'C 60'],
      ['C 60: 0..10 on-time#0 n=2 [[null,null]]'],
    );
    check(
      'when all are idle it stays',
      { ...tumbling, outOfOrderness: 0, idleTimeout: 60 },
      [{ time: 1, source: 'a' }, { time: 25, source: 'b' }, 'C 1000', 'end'],
      ['end: 0..10 on-time#0 n=1 [[null]] | 20..30 on-time#0 n=1 [[null]]'],
    );
  });

  describe('tumbling and hopping', () => {
    check(
      'windows are [start, start + size)',
      tumbling,
      [0, 9, 10, 'end'],
      ['end: 0..10 on-time#0 n=2 [[0,9]] | 10..20 on-time#0 n=1 [[10]]'],
    );
    check(
      'starts are congruent to the offset, before 1970 too',
      { ...tumbling, offset: 3 },
      [2, 3, -8, 'end'],
      ['end: -17..-7 on-time#0 n=1 [[-8]] | -7..3 on-time#0 n=1 [[2]] | 3..13 on-time#0 n=1 [[3]]'],
    );
    check(
      'an offset may be negative or larger than the size',
      { ...tumbling, offset: -27 },
      [2, 3, 'end'],
      ['end: -7..3 on-time#0 n=1 [[2]] | 3..13 on-time#0 n=1 [[3]]'],
    );
    check(
      'hopping windows overlap',
      { ...tumbling, type: 'hopping', slide: 5 },
      [7, 'end'],
      ['end: 0..10 on-time#0 n=1 [[7]] | 5..15 on-time#0 n=1 [[7]]'],
    );
    check(
      'a slide need not divide the size',
      { ...tumbling, type: 'hopping', slide: 4 },
      [8, 'end'],
      ['end: 0..10 on-time#0 n=1 [[8]] | 4..14 on-time#0 n=1 [[8]] | 8..18 on-time#0 n=1 [[8]]'],
    );
    check(
      'a window fires once the watermark reaches its end',
      tumbling,
      [5, 'W 9', 'W 10'],
      ['W 10: 0..10 on-time#0 n=1 [[5]]'],
    );
    check(
      'windows without events do not fire',
      tumbling,
      [5, 'W 40', 45, 'end'],
      ['W 40: 0..10 on-time#0 n=1 [[5]]', 'end: 40..50 on-time#0 n=1 [[45]]'],
    );
    check(
      'empty windows fire on request, from the first of the key to the watermark',
      { ...tumbling, emptyWindows: true, aggregates: [{ op: 'sum' }, { op: 'mean' }] },
      [25, 'W 50', 'end'],
      ['W 50: 20..30 on-time#0 n=1 [25 25] | 30..40 on-time#0 n=0 [0 null] | 40..50 on-time#0 n=0 [0 null]'],
    );
    check(
      'at the end of input only gaps are filled',
      { ...tumbling, emptyWindows: true },
      [5, 25, 'end'],
      ['end: 0..10 on-time#0 n=1 [[5]] | 10..20 on-time#0 n=0 [[]] | 20..30 on-time#0 n=1 [[25]]'],
    );
    check(
      'each key has its own windows',
      tumbling,
      [e(1, 'b'), e(2, 'a'), e(3, 'b'), 'end'],
      ['end: a 0..10 on-time#0 n=1 [[2]] | b 0..10 on-time#0 n=2 [[1,3]]'],
    );
    check(
      'panes of a step are ordered by end, start, key in code units',
      { ...tumbling, type: 'hopping', slide: 5 },
      [e(7, '\uff5e'), e(7, '\u{1f600}'), e(7, 'a'), e(7, 'B'), 'W 10'],
      [
        'W 10: B 0..10 on-time#0 n=1 [[7]] | a 0..10 on-time#0 n=1 [[7]] | \u{1f600} 0..10 on-time#0 n=1 [[7]] | \uff5e 0..10 on-time#0 n=1 [[7]]',
      ],
    );
  });

  describe('lateness', () => {
    const late = { ...tumbling, allowedLateness: 10 };
    check(
      'a late event within the allowed lateness fires a late pane at once',
      late,
      [1, 'W 10', 2, 3],
      ['W 10: 0..10 on-time#0 n=1 [[1]]', '2: 0..10 late#1 n=1 [[2]]', '3: 0..10 late#2 n=1 [[3]]'],
    );
    check(
      'an accumulating late pane holds all events',
      { ...late, accumulation: 'accumulating' },
      [5, 'W 10', 2],
      ['W 10: 0..10 on-time#0 n=1 [[5]]', '2: 0..10 late#1 n=2 [[2,5]]'],
    );
    check('also when the window never fired', late, ['W 15', 2], ['2: 0..10 late#0 n=1 [[2]]']);
    check(
      'at end + lateness the window is closed',
      late,
      [1, 'W 19', 2, 'W 20', 3],
      ['W 19: 0..10 on-time#0 n=1 [[1]]', '2: 0..10 late#1 n=1 [[2]]', '3: late {"time":3,"value":3}'],
    );
    check(
      'the late event comes out unchanged',
      late,
      ['W 30', { time: 1, extra: [1, { a: 2 }], source: 's' }],
      ['{"time":1,"extra":[1,{"a":2}],"source":"s"}: late {"time":1,"extra":[1,{"a":2}],"source":"s"}'],
    );
    check(
      'hopping: window by window, late output only when all are closed',
      { ...tumbling, type: 'hopping', slide: 5 },
      ['W 10', 7, 'W 15', 8, 'end'],
      ['W 15: 5..15 on-time#0 n=1 [[7]]', '8: late {"time":8,"value":8}'],
    );
    check(
      'hopping: one event can be late for one window and on time for the next',
      { ...tumbling, type: 'hopping', slide: 5, allowedLateness: 5 },
      ['W 10', 7, 'W 15'],
      ['7: 0..10 late#0 n=1 [[7]]', 'W 15: 5..15 on-time#0 n=1 [[7]]'],
    );
  });

  describe('session', () => {
    const session = { type: 'session', gap: 10, aggregates: collect };
    check('is [first, last + gap)', session, [1, 5, 'W 14', 'W 15'], ['W 15: 1..15 on-time#0 n=2 [[1,5]]']);
    check(
      'an event at exactly last + gap starts a new one',
      session,
      [1, 11, 'end'],
      ['end: 1..11 on-time#0 n=1 [[1]] | 11..21 on-time#0 n=1 [[11]]'],
    );
    check(
      'an event between two merges them',
      session,
      [1, 18, 10, 'end'],
      ['end: 1..28 on-time#0 n=3 [[1,10,18]]'],
    );
    check(
      'an earlier event extends it to the front',
      session,
      [5, 1, 'end'],
      ['end: 1..15 on-time#0 n=2 [[1,5]]'],
    );
    check(
      'per key',
      session,
      [e(1, 'a'), e(2, 'b'), e(9, 'a'), 'end'],
      ['end: b 2..12 on-time#0 n=1 [[2]] | a 1..19 on-time#0 n=2 [[1,9]]'],
    );
    check(
      'grown after it fired: on-time again when the watermark reaches the new end',
      { ...session, allowedLateness: 5 },
      [1, 'W 11', 10, 'W 20'],
      ['W 11: 1..11 on-time#0 n=1 [[1]]', 'W 20: 1..20 on-time#1 n=1 [[10]]'],
    );
    check(
      'grown after it fired: late at once when that is past',
      { ...session, allowedLateness: 15 },
      [1, 'W 20', 9, 'end'],
      ['W 20: 1..11 on-time#0 n=1 [[1]]', '9: 1..19 late#1 n=1 [[9]]'],
    );
    check(
      'the index of a merged session counts the panes of all its parts',
      { ...session, allowedLateness: 20, accumulation: 'accumulating' },
      [1, 15, 'W 25', 8],
      ['W 25: 1..11 on-time#0 n=1 [[1]] | 15..25 on-time#0 n=1 [[15]]', '8: 1..25 late#2 n=3 [[1,8,15]]'],
    );
    check(
      'a closed session no longer merges, and a new one may overlap it',
      session,
      [1, 'W 11', 9, 10, 'end'],
      ['W 11: 1..11 on-time#0 n=1 [[1]]', 'end: 9..20 on-time#0 n=2 [[9,10]]'],
    );
    check(
      'late when the merged session is closed',
      session,
      ['W 30', 20, 21],
      ['20: late {"time":20,"value":20}'],
    );
    check(
      'an event that alone would be late is saved by a session that is open',
      session,
      [12, 'W 21', 11, 'end'],
      ['end: 11..22 on-time#0 n=2 [[11,12]]'],
    );
  });

  describe('sliding', () => {
    const sliding = { type: 'sliding', size: 10, aggregates: collect };
    check(
      'one pane per event over (t - size, t], in event-time order',
      sliding,
      [15, 5, 14, 'end'],
      ['end: -5..5 on-time#0 n=1 [[5]] | 4..14 on-time#0 n=2 [[5,14]] | 5..15 on-time#0 n=2 [[14,15]]'],
    );
    check(
      'fires once the watermark is past t',
      sliding,
      [5, 'W 5', 'W 6'],
      ['W 6: -5..5 on-time#0 n=1 [[5]]'],
    );
    check(
      'all events of a time are in each of its panes',
      sliding,
      [5, { time: 5, value: 'x' }, 'end'],
      ['end: -5..5 on-time#0 n=2 [[5,"x"]] | -5..5 on-time#0 n=2 [[5,"x"]]'],
    );
    check(
      'an event before the watermark is late, allowed lateness or not',
      { ...sliding, allowedLateness: 100 },
      ['W 5', 4, 5, 'end'],
      ['4: late {"time":4,"value":4}', 'end: -5..5 on-time#0 n=1 [[5]]'],
    );
    check(
      'keys do not meet',
      sliding,
      [e(2, 'b'), e(1, 'a'), e(3, 'b'), 'end'],
      ['end: a -9..1 on-time#0 n=1 [[1]] | b -8..2 on-time#0 n=1 [[2]] | b -7..3 on-time#0 n=2 [[2,3]]'],
    );
  });

  describe('count', () => {
    const count = { type: 'count', count: 3, aggregates: collect };
    check(
      'every count events, as they arrived; the rest is not emitted',
      count,
      [5, 3, 4, 1, 'W 1000', 'end'],
      ['4: 5..4 on-time#0 n=3 [[3,4,5]]'],
    );
    check(
      'every step events over at most the last count',
      { ...count, step: 2 },
      [1, 2, 3, 4, 5, 6],
      ['2: 1..2 on-time#0 n=2 [[1,2]]', '4: 2..4 on-time#1 n=3 [[2,3,4]]', '6: 4..6 on-time#2 n=3 [[4,5,6]]'],
    );
    check(
      'a step larger than count leaves events out',
      { ...count, count: 1, step: 2 },
      [1, 2, 3, 4],
      ['2: 2..2 on-time#0 n=1 [[2]]', '4: 4..4 on-time#1 n=1 [[4]]'],
    );
    check(
      'per key, each with its own index',
      { ...count, count: 1 },
      [e(1, 'a'), e(2, 'b'), e(3, 'a')],
      [
        '{"time":1,"key":"a","value":1}: a 1..1 on-time#0 n=1 [[1]]',
        '{"time":2,"key":"b","value":2}: b 2..2 on-time#0 n=1 [[2]]',
        '{"time":3,"key":"a","value":3}: a 3..3 on-time#1 n=1 [[3]]',
      ],
    );
    check(
      'the watermark plays no part',
      { ...count, count: 1, outOfOrderness: 0 },
      [50, 1],
      ['50: 50..50 on-time#0 n=1 [[50]]', '1: 1..1 on-time#1 n=1 [[1]]'],
    );
  });
});
