import { deepEqual, equal, throws } from 'node:assert/strict';
import { parseWindowSpec, WindowEngine } from '../../../lib/stream';
import { parseDuration, shortDuration } from '../../../nodes/window/duration';
import { EventReader, milliseconds } from '../../../nodes/window/event-reader';
import { readSettings, type WindowDef } from '../../../nodes/window/settings';
import { StatusLine } from '../../../nodes/window/status-line';
import { translatorOf } from '../../support/node-red';

const definition = (fields: Partial<WindowDef>): WindowDef => ({
  id: 'n',
  type: 'window',
  z: 't',
  name: '',
  ...fields,
});

describe('durations', () => {
  it('are a number and a unit', () => {
    const cases: [unknown, number | undefined][] = [
      ['500 ms', 500],
      ['10s', 10_000],
      ['1.5 h', 5_400_000],
      ['2 min', 120_000],
      ['1 d', 86_400_000],
      ['-5 min', -300_000],
      [250, 250],
      ['', undefined],
      [undefined, undefined],
    ];
    for (const [text, expected] of cases) equal(parseDuration('size', text), expected);
    for (const text of ['ten', '5 weeks', 's', '1e30 d'])
      throws(() => parseDuration('size', text), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('are short in a status', () => {
    deepEqual([400, 59_400, 65_000, 3_700_000, 200_000_000].map(shortDuration), [
      '0s',
      '59s',
      '1m5s',
      '1h1m',
      '2d7h',
    ]);
  });
});

describe('window settings', () => {
  it('work when nothing is set', () => {
    const { spec, time, key, durable, limits } = readSettings(definition({}));
    equal(spec.type, 'tumbling');
    equal(spec.size, 60_000);
    equal(spec.time, 'processing');
    deepEqual(spec.aggregates, [{ op: 'count' }, { op: 'mean' }]);
    deepEqual([time, key, durable], [undefined, { type: 'none' }, true]);
    deepEqual(limits, { keys: 10_000, windows: 100_000, items: 1_000_000, keyIdle: 86_400_000 });
  });

  it('hold everything that the specification knows', () => {
    const { spec, time } = readSettings(
      definition({
        windowType: 'hopping',
        size: '10 min',
        slide: '1 min',
        offset: '30 s',
        time: 'event',
        timeProperty: 'payload.at',
        timeFormat: 'iso',
        outOfOrderness: '5 s',
        idleTimeout: '1 min',
        maxAhead: '1 h',
        allowedLateness: '2 min',
        earlyEvery: '30 s',
        earlyEvents: '100',
        emptyWindows: true,
        accumulation: 'accumulating',
        aggregates: [
          { op: 'quantile', field: 'a.b', as: 'p95', parameter: '0.95' },
          { op: 'topk', parameter: '3' },
          { op: 'jsonata', parameter: '$sum($)' },
          { op: 'anomaly', parameter: '2', history: '12', above: '90' },
        ],
      }),
    );
    deepEqual(time, { property: 'payload.at', format: 'iso' });
    deepEqual(spec, {
      type: 'hopping',
      size: 600_000,
      slide: 60_000,
      gap: 0,
      offset: 30_000,
      count: 0,
      step: 0,
      time: 'event',
      outOfOrderness: 5_000,
      idleTimeout: 60_000,
      maxAhead: 3_600_000,
      allowedLateness: 120_000,
      early: { every: 30_000, events: 100 },
      emptyWindows: true,
      accumulation: 'accumulating',
      aggregates: [
        { op: 'quantile', field: 'a.b', as: 'p95', q: 0.95 },
        { op: 'topk', k: 3 },
        { op: 'jsonata', expr: '$sum($)' },
        { op: 'anomaly', z: 2, history: 12, above: 90 },
      ],
    });
  });

  it('leave out what belongs to another type of window', () => {
    const { spec } = readSettings(
      definition({ windowType: 'session', gap: '5 s', size: 'x', slide: '9 d', count: 'x' }),
    );
    equal(spec.gap, 5_000);
  });

  const wrong: Partial<WindowDef>[] = [
    { windowType: 'hopping', size: '1 min', slide: '2 min' },
    { size: 'long' },
    { windowType: 'count', count: '' },
    { windowType: 'count', count: 'x' },
    { keyType: 'msg', key: ' ' },
    { time: 'event', timeFormat: 'moon' },
    { aggregates: [{ op: 'jsonata', parameter: '$sum(' }] },
    { aggregates: [{ op: 'sum' }, { op: 'sum' }] },
  ];
  for (const fields of wrong) {
    it(`refuse ${JSON.stringify(fields)}`, () => {
      throws(() => readSettings(definition(fields)), /./);
    });
  }

  it('have a fingerprint that changes with what the state depends on', () => {
    const print = (fields: Partial<WindowDef>) => readSettings(definition(fields)).fingerprint;
    equal(print({}), print({ name: 'other', maxKeys: '5' }));
    equal(print({ windowType: 'tumbling', gap: '1 s' }), print({}));
    equal(
      new Set([{}, { size: '2 min' }, { keyType: 'msg', key: 'topic' }, { value: 'x' }].map(print)).size,
      4,
    );
  });
});

describe('the event reader', () => {
  const reader = (fields: Partial<WindowDef>) =>
    new EventReader(readSettings(definition(fields)), {
      property: (message, path) => (path === "['odd name']" ? message['odd name'] : undefined),
      expression: async () => undefined,
    });

  it('reads time in milliseconds, seconds and ISO 8601', () => {
    equal(milliseconds(1_500, 'ms'), 1_500);
    equal(milliseconds('1500', 'ms'), 1_500);
    equal(milliseconds(1.0016, 's'), 1_002);
    equal(milliseconds('2026-10-25T02:30:00+02:00', 'iso'), Date.UTC(2026, 9, 25, 0, 30));
    equal(milliseconds(new Date(5), 'iso'), 5);
    for (const value of [
      Number.NaN,
      null,
      undefined,
      '',
      ' ',
      true,
      {},
      [],
      1e300,
      'soon',
      Number.POSITIVE_INFINITY,
    ]) {
      equal(milliseconds(value, 'ms'), undefined);
    }
    for (const value of [5, '', 'yesterday', null]) equal(milliseconds(value, 'iso'), undefined);
  });

  it('takes a missing key for the empty one, and writes numbers out', () => {
    const read = (key: unknown) => reader({ keyType: 'msg', key: 'payload.k' }).read({ payload: { k: key } });
    deepEqual(
      [undefined, null, '', 7, true, 'a'].map((key) => read(key).event.key),
      ['', '', '', '7', 'true', 'a'],
    );
    equal(read({ no: 'key' }).defect, 'key');
  });

  it('says when there is no time', () => {
    const { defect, event } = reader({ time: 'event' }).read({ payload: { time: 'x' }, topic: 't' });
    equal(defect, 'time');
    deepEqual(event, { time: 'x', key: '', value: { time: 'x' }, source: 't' });
  });

  it('takes the topic for the source, if asked', () => {
    equal(reader({}).read({ topic: 'a' }).event.source, 'a');
    equal(reader({}).read({ topic: 5 }).event.source, '5');
    equal(reader({}).read({ topic: { quay: 5 } }).event.source, '');
    equal(reader({ sourceByTopic: false }).read({ topic: 'a' }).event.source, '');
  });

  it('leaves paths that are not plain to Node-RED', () => {
    equal(reader({ value: "['odd name']" }).read({ 'odd name': 8 }).event.value, 8);
  });
});

describe('the status of a window', () => {
  it('shows open windows, the lag, limits and failures, in under 20 characters', () => {
    const engine = new WindowEngine(parseWindowSpec({ type: 'tumbling', size: 10, outOfOrderness: 0 }));
    const shown: string[] = [];
    let now = 100_000;
    const status = new StatusLine(engine, {
      show: ({ fill, text }) => shown.push(`${fill} ${text}`),
      translate: translatorOf('window'),
      now: () => now,
    });
    status.update();
    engine.add({ time: 35_000 });
    status.update();
    status.update();
    status.limitReached();
    status.update();
    now += 6_000;
    status.update();
    status.failed('ERR_STREAM_EXPRESSION', false);
    status.failed('ERR_UNHEARD_OF', false);
    now += 6_000;
    status.update();
    status.failed('ERR_STREAM_STORAGE', true);
    now += 6_000;
    status.failed('ERR_STREAM_EXPRESSION', false);
    now += 6_000;
    status.update();
    status.close();
    deepEqual(shown, [
      'green 0 open',
      'green 1 open, -1m5s',
      'yellow limit reached',
      'green 1 open, -1m11s',
      'red expression failed',
      'red error',
      'green 1 open, -1m17s',
      'red state not kept',
      'red expression failed',
      'red state not kept',
    ]);
  });
});
