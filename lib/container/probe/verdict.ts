import type { ContainerStatus } from '../container';
import type { CompleteProbe } from '../spec/lifecycle';
import type { Answer } from './answer';

/** Sooner than its interval asks a probe of a container that has just started, in milliseconds. */
const FIRST_PAUSE_MS = 100;

/** What the answers to one probe mean together, by its thresholds and its start period. */
export class Verdict {
  state: Exclude<ContainerStatus['health'], 'none'> = 'starting';
  /** Of the last answer that was no success. */
  detail: string | null = null;
  /** The probe could not be asked. */
  error = false;
  readonly #probe: CompleteProbe;
  readonly #startedAt: number;
  #successes = 0;
  #failures = 0;
  #asked = 0;

  /** `startedAt`: when the container started, in the time of `performance.now()`. */
  constructor(probe: CompleteProbe, startedAt: number) {
    this.#probe = probe;
    this.#startedAt = startedAt;
  }

  note({ outcome, detail }: Answer, now = performance.now()): void {
    this.#asked += 1;
    this.error = outcome === 'error';
    this.detail = outcome === 'success' ? null : detail;
    if (outcome === 'success') {
      this.#failures = 0;
      this.#successes += 1;
      if (this.#successes >= this.#probe.successThreshold) this.state = 'healthy';
      return;
    }
    this.#successes = 0;
    if (this.#isYoung(now) && !this.error) return;
    this.#failures += 1;
    if (this.#failures >= this.#probe.failureThreshold) this.state = 'unhealthy';
  }

  /** Milliseconds until the next question. A young container is asked soon, then less and less often. */
  pause(now = performance.now()): number {
    const { intervalMs } = this.#probe;
    if (this.state !== 'starting' || !this.#isYoung(now)) return intervalMs;
    return Math.min(intervalMs, FIRST_PAUSE_MS * 2 ** Math.min(this.#asked, 20));
  }

  #isYoung(now: number): boolean {
    return now - this.#startedAt < this.#probe.startPeriodMs;
  }
}
