import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { toGaruaError } from '../../lib/base';
import type { LogLine } from '../../lib/container';
import type { Host } from '../../lib/host';

const RETRY = 1_000;
/** Lines handed on before other work gets its turn. */
const BATCH = 50;

/** Hands on the log lines of containers as they come, until each is removed. */
export class LogFollower {
  readonly #host: () => Promise<Host>;
  readonly #onLine: (name: string, line: LogLine) => void;
  readonly #running = new Map<string, AbortController>();

  constructor(host: () => Promise<Host>, onLine: (name: string, line: LogLine) => void) {
    this.#host = host;
    this.#onLine = onLine;
  }

  /** Starts following, unless it does so already. `since` (ISO 8601) leaves out older lines. */
  follow(name: string, since?: string): void {
    if (this.#running.has(name)) return;
    const abort = new AbortController();
    this.#running.set(name, abort);
    void this.#follow(name, since, abort.signal).finally(() => {
      if (this.#running.get(name) === abort) this.#running.delete(name);
    });
  }

  /** Ends following one container. */
  leave(name: string): void {
    this.#running.get(name)?.abort();
    this.#running.delete(name);
  }

  close(): void {
    for (const name of [...this.#running.keys()]) this.leave(name);
  }

  async #follow(name: string, since: string | undefined, signal: AbortSignal): Promise<void> {
    let from = since;
    let count = 0;
    while (!signal.aborted) {
      try {
        for await (const line of (await this.#host()).logs(name, { follow: true, since: from, signal })) {
          if (signal.aborted) return;
          from = line.time;
          this.#onLine(name, line);
          count += 1;
          if (count % BATCH === 0) await nextTurn();
        }
        // The container has been removed.
        return;
      } catch (error) {
        if (signal.aborted || toGaruaError(error).code === 'ERR_CONTAINER_NOT_FOUND') return;
        await delay(RETRY, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }
}
