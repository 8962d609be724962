import type { PortMeasures } from '../../lib/placement';
import { takeSent } from '../fog-port';

/** Counts what comes into an instance, from one question of its host to the next. */
export class Meter {
  readonly #instance: string;
  #since = performance.now();
  #handlerMs = 0;
  #messages = 0;
  #bytes = 0;

  constructor(instance: string) {
    this.#instance = instance;
  }

  count(bytes: number): void {
    this.#messages += 1;
    this.#bytes += bytes;
  }

  /** @param handlerMs since the instance is there; @param deferred messages that wait inside now */
  measure(handlerMs: number, deferred: number): PortMeasures {
    const now = performance.now();
    const measures: PortMeasures = {
      spanMs: now - this.#since,
      handlerMs: handlerMs - this.#handlerMs,
      messagesIn: this.#messages,
      bytesIn: this.#bytes,
      out: takeSent(this.#instance),
      deferred,
    };
    this.#since = now;
    this.#handlerMs = handlerMs;
    this.#messages = 0;
    this.#bytes = 0;
    return measures;
  }
}
