import assert from 'node:assert/strict';
import type { PlacementModel } from '../../../lib/placement';
import { Measurements } from '../../../lib/placement/controller';

const MODEL: PlacementModel = {
  sites: ['a', 'b', 'c'].map((id) => ({ id, cpu: 4, memory: 1000 })),
  links: [
    { from: 'a', to: 'b', latencyMs: 5, bandwidthMbps: 20 },
    { from: 'c', to: 'b', latencyMs: 7 },
  ],
  operators: [
    { id: 'source', cpu: 0.1, memory: 10 },
    { id: 'sink', cpu: 0.1, memory: 10 },
  ],
  streams: [{ from: 'source', to: 'sink', rate: 1, bytes: 100 }],
  weights: { latency: 1, traffic: 1 },
};

describe('placement, measurements for the model', () => {
  it('leave what was not measured as it is', () => {
    assert.deepEqual(new Measurements().model(MODEL), MODEL);
  });

  it('take the place of rates, sizes, cores and latencies', () => {
    const measurements = new Measurements();
    measurements.stream({ from: 'source', to: 'sink', messages: 50, bytes: 10_000, spanMs: 5000 }, 5000);
    measurements.operator({ operator: 'source', handlerMs: 2500, spanMs: 5000 }, 5000);
    measurements.operator({ operator: 'sink', handlerMs: 5, spanMs: 5000 }, 5000);
    measurements.roundTrip('b', 'a', 30, 5000);
    measurements.roundTrip('a', 'c', 50, 5000);
    measurements.roundTrip('a', 'unknown', 1, 5000);
    const { streams, operators, links } = measurements.model(MODEL);
    assert.deepEqual(streams, [{ from: 'source', to: 'sink', rate: 10, bytes: 200 }]);
    assert.deepEqual(
      operators.map(({ cpu }) => cpu),
      [0.5, 0.1],
      'no operator gets less than it asked for',
    );
    assert.deepEqual(links, [
      { from: 'a', to: 'b', latencyMs: 15, bandwidthMbps: 20 },
      { from: 'c', to: 'b', latencyMs: 7 },
      { from: 'a', to: 'c', latencyMs: 25 },
    ]);
  });

  it('keep the size of messages while none come', () => {
    const measurements = new Measurements(1000);
    measurements.stream({ from: 'source', to: 'sink', messages: 10, bytes: 1000, spanMs: 1000 }, 1000);
    measurements.stream({ from: 'source', to: 'sink', messages: 0, bytes: 0, spanMs: 1000 }, 2000);
    const [stream] = measurements.model(MODEL).streams;
    assert.equal(stream!.bytes, 100);
    assert.equal(stream!.rate, 5);
  });

  it('forget what concerns who is no more', () => {
    const measurements = new Measurements();
    measurements.stream({ from: 'source', to: 'sink', messages: 50, bytes: 10_000, spanMs: 5000 }, 5000);
    measurements.roundTrip('b', 'a', 30, 5000);
    measurements.forget('sink');
    measurements.forget('a');
    assert.deepEqual(measurements.model(MODEL), MODEL);
  });
});
