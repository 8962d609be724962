import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../../../lib/host';
import { consume, Publisher } from '../../../lib/mesh';
import { keyedTopic } from '../../../lib/placement';
import { decodeMessage } from '../../../nodes/fog-messages';

/** What is sent: `at` by the clock of this process, which also hears the results. */
export interface Reading {
  n: number;
  at: number;
  key: string;
}

export interface LoadOptions {
  /** Where the readings come from. */
  host: Host;
  /** The peer ID of the host that owns the flow. */
  owner: string;
  flow: string;
  operator: string;
  perSecond: number;
  /** Of a message, about. */
  bytes: number;
  /** Absent for operators without keys. */
  keys?: number;
}

const TICK = 5;

/** Sends readings to an operator, at an even rate, until it is stopped. */
export class Load {
  readonly #options: LoadOptions;
  readonly #padding: string;
  readonly #done: Promise<void>;
  #isStopped = false;
  /** Readings that were sent, and those that found a queue full: the machine cannot do so much. */
  sent = 0;
  dropped = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#padding = 'x'.repeat(Math.max(0, options.bytes - 60));
    this.#done = this.#run();
  }

  /** Resolves when the host has all of them. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    const { host, owner, flow, operator, perSecond, keys } = this.#options;
    const publisher = new Publisher(async () => host);
    const pending = new Set<Promise<unknown>>();
    const expected = new Set<string>();
    const start = performance.now();
    while (!this.#isStopped) {
      const due = ((performance.now() - start) / 1_000) * perSecond;
      for (; this.sent < due; this.sent += 1) {
        const key = `key ${this.sent % (keys ?? 1)}`;
        const topic = keyedTopic(owner, flow, operator, keys === undefined ? undefined : key);
        if (!expected.has(topic)) await host.expectSubscriber(topic, topic);
        expected.add(topic);
        const payload: Reading & { padding: string } = {
          ...{ n: this.sent, at: performance.now(), key },
          padding: this.#padding,
        };
        const sending = publisher.publish(topic, JSON.stringify({ payload, key })).then(({ dropped }) => {
          this.dropped += dropped;
        });
        pending.add(sending);
        void sending.finally(() => pending.delete(sending));
      }
      await delay(TICK);
    }
    await Promise.all(pending);
  }
}

/** A result as it came to the dashboard. */
export interface Result {
  /** `performance.now()` of this process. */
  arrived: number;
  payload: Record<string, unknown>;
}

/** Hears the results of a flow at a host. */
export class Results {
  readonly all: Result[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(host: Host, topic: string) {
    const options = { subscriber: `bench of ${topic}`, retained: false, signal: this.#stop.signal };
    this.#done = consume(host, topic, options, async ({ body }) => {
      const arrived = performance.now();
      this.all.push({ arrived, payload: (await decodeMessage(body)).payload as Result['payload'] });
    }).catch(() => {});
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}
