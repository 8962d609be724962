import { setTimeout as delay } from 'node:timers/promises';
import { toGaruaError } from '../../lib/base';
import type { Host } from '../../lib/host';
import type { PortAnswer, PortCommand } from '../../lib/placement';

const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 5_000;

export interface PortLinkParts {
  instance: string;
  host(): Promise<Host>;
  obey(command: PortCommand): Promise<PortAnswer>;
  onAttached(): void;
  onError(error: unknown): void;
}

/** Hears what the host asks of an instance, and answers. */
export class PortLink {
  readonly #parts: PortLinkParts;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;

  constructor(parts: PortLinkParts) {
    this.#parts = parts;
    this.#done = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { instance } = this.#parts;
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        const host = await this.#parts.host();
        this.#parts.onAttached();
        for await (const command of host.operatorPort(instance, { signal })) {
          pause = FIRST_PAUSE;
          void this.#answer(host, command);
        }
      } catch (error) {
        if (!signal.aborted) this.#parts.onError(error);
      }
      await delay(pause, undefined, { signal, ref: false }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  async #answer(host: Host, command: PortCommand): Promise<void> {
    const answer = await this.#parts
      .obey(command)
      .catch((error) => ({ error: toGaruaError(error, command.type).toJSON() }));
    // A host that is gone asks again.
    await host.answerPort(this.#parts.instance, command.id, answer).catch(() => {});
  }
}
