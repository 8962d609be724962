import type { Message } from '../../lib/mesh';
import type { HostLease } from '../fog-host/host-pool';
import { inTime } from '../fog-host/in-time';
import { decodeMessage, listen } from '../fog-messages';
import { Door } from '../fog-port';

/** What one output of an operator sends back to this Node-RED. */
export interface ReturnedOutput {
  output: number;
  topic: string;
}

/** How long a host may take to forget, in ms. */
const FORGET_PATIENCE = 3_000;

/** Brings what operators send back to the node that stands for them. */
export class Returns {
  readonly #lease: HostLease;
  readonly #give: (output: number, message: Record<string, unknown>) => void;
  readonly #report: (error: unknown) => void;
  readonly #listening = new Map<string, { stop: AbortController; door: Door; done: Promise<void> }>();

  constructor(
    lease: HostLease,
    give: (output: number, message: Record<string, unknown>) => void,
    report: (error: unknown) => void,
  ) {
    this.#lease = lease;
    this.#give = give;
    this.#report = report;
  }

  /** Listens to these, and to no others any more. */
  listen(outputs: readonly ReturnedOutput[]): void {
    const wanted = new Set(outputs.map(({ topic }) => topic));
    for (const [topic, { stop, door }] of this.#listening) {
      if (wanted.has(topic)) continue;
      door.close();
      stop.abort();
      this.#listening.delete(topic);
      void this.#forget(topic);
    }
    for (const { output, topic } of outputs) {
      if (this.#listening.has(topic)) continue;
      const stop = new AbortController();
      const door = new Door(topic, ({ content, done }) => {
        this.#give(output, content);
        done();
        return true;
      });
      this.#listening.set(topic, { stop, door, done: this.#run(output, topic, door, stop.signal) });
    }
  }

  /** A node that is gone is forgotten by the hosts. */
  async close(removed: boolean): Promise<void> {
    const topics = [...this.#listening.keys()];
    const all = [...this.#listening.values()];
    for (const { stop, door } of all) {
      door.close();
      stop.abort();
    }
    await Promise.all(all.map(({ done }) => done));
    if (removed) await Promise.all(topics.map((topic) => this.#forget(topic)));
  }

  async #forget(topic: string): Promise<void> {
    const signal = AbortSignal.timeout(FORGET_PATIENCE);
    const host = inTime(this.#lease.host(), signal);
    await inTime(
      host.then((opened) => opened.forgetQueue({ subscriber: topic })),
      signal,
    ).catch(() => {});
  }

  #run(output: number, topic: string, door: Door, signal: AbortSignal): Promise<void> {
    const take = async ({ body }: Message) => {
      if (door.passes(body)) return;
      try {
        this.#give(output, await decodeMessage(body));
      } catch (error) {
        // It would come again for ever.
        this.#report(error);
      }
    };
    const options = { subscriber: topic, retained: false, signal };
    return listen(this.#lease.host, topic, options, take, this.#report);
  }
}
