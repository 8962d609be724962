import type { AggregateSpec, StreamEvent, WindowSpecInput, WindowType } from '../../../lib/stream';

export type Step = { event: StreamEvent } | { watermark: number } | { processingTime: number };

export interface Case {
  spec: WindowSpecInput;
  steps: Step[];
}

/** mulberry32: small, seeded, good enough. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.whole(0, values.length - 1)]!;
  }

  maybe<T>(probability: number, value: () => T): T | undefined {
    return this.chance(probability) ? value() : undefined;
  }
}

export const AGGREGATES: AggregateSpec[] = [
  { op: 'count' },
  { op: 'sum' },
  { op: 'mean' },
  { op: 'min' },
  { op: 'max' },
  { op: 'stddev' },
  { op: 'first' },
  { op: 'last' },
  { op: 'collect' },
  { op: 'distinct' },
  { op: 'quantile', q: 0.5 },
  { op: 'quantile', q: 0.95, as: 'p95' },
  { op: 'topk', k: 2 },
  { op: 'sum', field: 'a.b', as: 'inner' },
];

/** A random specification and a random stream for it. The same seed gives the same case. */
export function randomCase(seed: number): Case {
  const random = new Random(seed);
  const type = random.pick<WindowType>(['tumbling', 'hopping', 'sliding', 'session', 'count']);
  const size = random.whole(1, 12);
  const count = random.whole(1, 5);
  const spec: WindowSpecInput = {
    type,
    size,
    slide: type === 'hopping' ? random.whole(1, size) : undefined,
    gap: random.whole(1, 6),
    count,
    step: random.maybe(0.5, () => random.whole(1, 7)),
    offset: random.maybe(0.4, () => random.whole(-15, 15)),
    time: random.pick(['event', 'event', 'event', 'processing', undefined]),
    outOfOrderness: random.maybe(0.8, () => random.whole(0, 5)),
    idleTimeout: random.maybe(0.5, () => random.whole(1, 12)),
    maxAhead: random.maybe(0.4, () => random.whole(0, 30)),
    allowedLateness: random.maybe(0.6, () => random.whole(0, 15)),
    early: random.maybe(0.5, () => ({
      every: random.maybe(0.6, () => random.whole(1, 10)),
      events: random.maybe(0.5, () => random.whole(1, 4)),
    })),
    emptyWindows: random.maybe(0.3, () => random.chance(0.8)),
    accumulation: random.pick(['discarding', 'accumulating', undefined]),
    aggregates: AGGREGATES.filter(() => random.chance(0.6)),
  };
  return { spec: JSON.parse(JSON.stringify(spec)), steps: randomSteps(random) };
}

function randomSteps(random: Random): Step[] {
  const steps: Step[] = [];
  let now = random.whole(-20, 20);
  let clock = 0;
  const disorder = random.pick([0, 3, 12, 40]);
  const keys = random.pick([[undefined], [undefined, 'k', 'K'], ['', 'a', '\u00e9', '\u{1f600}', '\uff5e']]);
  const sources = random.pick([[undefined], [undefined, 's'], ['s', 't', 'u']]);
  const length = random.whole(5, 60);
  for (let n = 0; n < length; n += 1) {
    const dice = random.next();
    if (dice < 0.08) {
      steps.push({ watermark: now + random.whole(-15, 10) });
    } else if (dice < 0.22) {
      // Sometimes the clock is said to be earlier than before.
      clock = Math.max(0, clock + random.pick([-4, 0, 1, 2, 3, 7, 20, 60]));
      steps.push({ processingTime: clock });
    } else {
      now += random.pick([0, 0, 1, 1, 2, 5, 15]);
      const time = now - random.whole(0, disorder) + (random.chance(0.03) ? 100 : 0);
      const event = JSON.parse(
        JSON.stringify({
          time,
          key: random.pick(keys),
          value: randomValue(random),
          source: random.pick(sources),
        }),
      );
      steps.push({ event });
      if (random.chance(0.1)) steps.push({ event: { ...event } });
    }
  }
  return steps;
}

function randomValue(random: Random): unknown {
  const number = random.whole(-40, 40) / 4;
  if (random.chance(0.7)) return number;
  return random.pick<unknown>([
    null,
    'text',
    '',
    true,
    [1, 2],
    {},
    { a: { b: number } },
    { a: 1 },
    { a: null },
  ]);
}
