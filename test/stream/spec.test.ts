import assert from 'node:assert/strict';
import { parseInput, parseWindowSpec } from '../../lib/stream';

describe('parseWindowSpec', () => {
  const wrong: [what: string, spec: unknown][] = [
    ['no object', 7],
    ['no type', {}],
    ['unknown type', { type: 'circular' }],
    ['no size', { type: 'tumbling' }],
    ['size 0', { type: 'sliding', size: 0 }],
    ['size as text', { type: 'tumbling', size: '10' }],
    ['a fraction', { type: 'tumbling', size: 1.5 }],
    ['no slide', { type: 'hopping', size: 10 }],
    ['slide > size', { type: 'hopping', size: 10, slide: 11 }],
    ['no gap', { type: 'session' }],
    ['no count', { type: 'count' }],
    ['step 0', { type: 'count', count: 1, step: 0 }],
    ['a negative lateness', { type: 'count', count: 1, allowedLateness: -1 }],
    ['unknown time', { type: 'count', count: 1, time: 'space' }],
    ['early as a number', { type: 'count', count: 1, early: 3 }],
    ['early every 0', { type: 'count', count: 1, early: { every: 0 } }],
    ['unknown accumulation', { type: 'count', count: 1, accumulation: 'x' }],
    ['a misspelt property', { type: 'count', count: 1, allowedLatenes: 1 }],
    ['an unknown op', { type: 'count', count: 1, aggregates: [{ op: 'mode' }] }],
    ['no q', { type: 'count', count: 1, aggregates: [{ op: 'quantile' }] }],
    ['q > 1', { type: 'count', count: 1, aggregates: [{ op: 'quantile', q: 95 }] }],
    ['no k', { type: 'count', count: 1, aggregates: [{ op: 'topk' }] }],
    ['no expr', { type: 'count', count: 1, aggregates: [{ op: 'jsonata' }] }],
    ['a wrong expr', { type: 'count', count: 1, aggregates: [{ op: 'jsonata', expr: '$sum(' }] }],
    [
      'the same name twice',
      { type: 'count', count: 1, aggregates: [{ op: 'sum' }, { op: 'min', as: 'sum' }] },
    ],
  ];
  for (const [what, spec] of wrong) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseWindowSpec(spec), { code: 'ERR_STREAM_SPEC' });
    });
  }

  it('takes null for absent and fills in the defaults', () => {
    const spec = parseWindowSpec({ type: 'count', count: 4, early: null, aggregates: null });
    assert.equal(spec.step, 4);
    assert.equal(spec.time, 'event');
    assert.equal(spec.accumulation, 'discarding');
    assert.equal(spec.outOfOrderness, undefined);
  });
});

describe('parseInput', () => {
  const wrong = [
    'x',
    '7',
    '[]',
    'null',
    '{}',
    '{"time":"5"}',
    '{"time":null}',
    '{"time":1e300}',
    '{"time":1,"key":5}',
  ];
  for (const line of [...wrong, '{"time":1,"source":{}}', '{"watermark":"1"}', '{"processingTime":null}']) {
    it(`refuses ${line} and names its line`, () => {
      assert.throws(() => parseInput(line, 17, true), { code: 'ERR_STREAM_INPUT', message: /line 17 / });
    });
  }

  it('in processing time an event needs no time', () => {
    assert.deepEqual(parseInput('{"value":1}', 1, false), { kind: 'event', event: { value: 1 } });
  });
});
