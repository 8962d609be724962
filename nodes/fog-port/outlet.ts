import { setTimeout as delay } from 'node:timers/promises';
import { AbortedError, toGaruaError } from '../../lib/base';
import type { Host } from '../../lib/host';

interface Waiting {
  topic: string;
  text: string;
  isOperator: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

/** Characters and messages that go at once. */
const ROUND = 256 << 10;
const ROUND_MESSAGES = 1_000;
/** Messages that wait on this host for a topic elsewhere; with more, the flow is held back. */
const HIGH_WATER = 5_000;
const LIMIT = 10_000;
const PAUSE = 500;
/** How long the host may take to accept the last messages at the end, in ms; Node-RED itself waits 15 s. */
const LAST_WORD = 3_000;
/** What goes wrong with a message whenever it is tried. */
const HOPELESS = new Set(['ERR_INVALID_ARGUMENT', 'ERR_MESH_MESSAGE_TOO_LARGE']);

/**
 * Publishes what the outputs of an instance send: each topic's messages in their order, again after the host was away.
 * Resolves a message when it is on the host's disk, and while much waits, later: so whoever feeds the flow waits.
 */
export class Outlet {
  readonly #host: () => Promise<Host>;
  readonly #closing = new AbortController();
  readonly #expected = new Set<string>();
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(host: () => Promise<Host>) {
    this.#host = host;
  }

  /** @throws {AbortedError} when it was closed before */
  publish(topic: string, text: string, isOperator: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ topic, text, isOperator, resolve, reject });
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  /** Sends what it has, so far as the host takes it in time. */
  async close(): Promise<void> {
    if (this.#running) await Promise.race([this.#running, delay(LAST_WORD, undefined, { ref: false })]);
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#waiting.length > 0 && !signal.aborted) {
      const topics = Map.groupBy(this.#round(), ({ topic }) => topic);
      const failed = await Promise.all([...topics].map(([topic, all]) => this.#send(topic, all)));
      this.#waiting.unshift(...failed.flat());
      if (failed.some(({ length }) => length > 0)) {
        await delay(PAUSE, undefined, { signal, ref: false }).catch(() => {});
      }
    }
    for (const { topic, reject } of this.#waiting.splice(0))
      reject(new AbortedError(`a message to ${topic}`));
  }

  #round(): Waiting[] {
    let size = 0;
    const end = this.#waiting.findIndex(({ text }, at) => {
      size += text.length;
      return size > ROUND || at >= ROUND_MESSAGES;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : Math.max(1, end));
  }

  /** @returns what must be tried again */
  async #send(topic: string, all: Waiting[]): Promise<Waiting[]> {
    try {
      const host = await this.#host();
      if (all[0]!.isOperator && !this.#expected.has(topic)) {
        await host.expectSubscriber(topic, topic);
        this.#expected.add(topic);
      }
      const texts = all.map(({ text }) => text);
      // A full queue refuses all of them: nothing is dropped, they are tried again, and the flow waits.
      const options = { maximumMessages: LIMIT, policy: 'refuse' } as const;
      const { waiting, subscribers } = await host.publish(topic, texts, options);
      // The operator was removed and deployed again: its queue is to be made anew.
      if (subscribers === 0 && this.#expected.delete(topic)) return all;
      void this.#settle(host, topic, waiting, all);
      return [];
    } catch (error) {
      if (!HOPELESS.has(toGaruaError(error).code)) return all;
      // The others must not fail with it.
      if (all.length > 1) return (await Promise.all(all.map((one) => this.#send(topic, [one])))).flat();
      all[0]!.reject(error);
      return [];
    }
  }

  async #settle(host: Host, topic: string, waiting: number, all: Waiting[]): Promise<void> {
    const { signal } = this.#closing;
    for (let left = waiting; left > HIGH_WATER && !signal.aborted; ) {
      await delay(PAUSE, undefined, { signal, ref: false }).catch(() => {});
      const queues = await host.queues().catch(() => []);
      left = Math.max(0, ...queues.filter((queue) => queue.topic === topic).map((queue) => queue.waiting));
    }
    for (const { resolve } of all) resolve();
  }
}
