import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds by which timers came too late. */
export interface Delay {
  p50: number;
  p99: number;
  max: number;
  samples: number;
}

const RESOLUTION_MS = 1;

/** Samples this process's event loop every millisecond. */
export class EventLoopMeter {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  /** The delays since the last call. */
  take(): Delay {
    const histogram = this.#histogram;
    // What is recorded is the time between two ticks, so a loop that is never late shows the resolution.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const delay = {
      p50: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      max: late(histogram.max),
      samples: histogram.count,
    };
    histogram.reset();
    return delay;
  }
}
