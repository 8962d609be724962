import { setTimeout as delay } from 'node:timers/promises';
import { AbortedError } from '../../lib/base';
import type { Host } from '../../lib/host';
import { Publisher } from '../../lib/mesh';
import { inputTopic, keyedTopic, partitionOf } from '../../lib/placement';
import { Backlog } from '../feedback';
import { encodeMessage } from '../fog-messages';
import { type Content, Route } from '../fog-port';
import type { FlowPlace } from './flow-session';

export interface OperatorInputParts {
  /** The operator. */
  id: string;
  host(): Promise<Host>;
  /** The key of a message; undefined where the operator has none. */
  keyOf(message: Content): string | undefined;
  /** So many messages had to be dropped. */
  onDropped(count: number): void;
}

/** What may wait for a host that is slow, or while the flow has no address yet. */
const BACKLOG = { messages: 50_000, bytes: 64 << 20 };
/** How long a node that is deployed anew waits for what it has taken, in ms; Node-RED itself waits 15 s. */
const CLOSE_PATIENCE = 8_000;

/** Sends messages to an operator, wherever it runs. */
export class OperatorInput {
  readonly #parts: OperatorInputParts;
  readonly #publisher: Publisher;
  readonly #place = Promise.withResolvers<FlowPlace>();
  /** The same, once it is known. */
  #address: FlowPlace | undefined;
  /** By partition; without keys there is one. */
  readonly #routes = new Map<number | undefined, Route>();
  readonly #expected = new Map<string, Promise<void>>();
  readonly #backlog = new Backlog(BACKLOG);
  readonly #publishing = new Set<Promise<unknown>>();
  #encoding: Promise<unknown> = Promise.resolve();

  constructor(parts: OperatorInputParts) {
    this.#parts = parts;
    this.#publisher = new Publisher(parts.host);
    this.#place.promise.catch(() => {});
  }

  /** Resolves when it is known where the operator's messages go. */
  get place(): Promise<FlowPlace> {
    return this.#place.promise;
  }

  locate(place: FlowPlace): void {
    this.#address ??= place;
    this.#place.resolve(place);
  }

  /** `done` is called when the message is handled in this process, or on disk, or has failed. */
  send(message: Content, done: (error?: unknown) => void): void {
    const key = this.#parts.keyOf(message);
    if (this.#address) this.#routeOf(key, this.#address).send(message, done);
    else this.#publish(message, key).then(() => done(), done);
  }

  /** What was taken goes to disk, as far as the host takes it in time. */
  async close(): Promise<void> {
    this.#place.reject(new AbortedError('the message'));
    for (const route of this.#routes.values()) route.close();
    const all = Promise.allSettled(this.#publishing);
    await Promise.race([all, delay(CLOSE_PATIENCE, undefined, { ref: false })]);
  }

  #routeOf(key: string | undefined, { owner, flow }: FlowPlace): Route {
    const partition = key === undefined ? undefined : partitionOf(key);
    const known = this.#routes.get(partition);
    if (known) return known;
    const topic = inputTopic(owner, flow, this.#parts.id, partition);
    const route = new Route({ topic, publish: (content) => this.#publish(content, key) });
    this.#routes.set(partition, route);
    return route;
  }

  /** By way of the host. Messages are encoded one after another: a large one is not overtaken. */
  #publish(message: Content, key: string | undefined): Promise<number> {
    const publishing = this.#backlog.hold(async ({ grow }) => {
      const encoded = this.#encoding.then(() => encodeMessage(message));
      this.#encoding = encoded.catch(() => {});
      const { text } = await encoded;
      grow(text.length);
      const { owner, flow } = await this.#place.promise;
      const topic = keyedTopic(owner, flow, this.#parts.id, key);
      await this.#expect(topic);
      const { subscribers, dropped } = await this.#publisher.publish(topic, text);
      if (dropped > 0) this.#parts.onDropped(dropped);
      if (subscribers > 0) return text.length;
      // The operator was removed and deployed again: its queue is to be made anew.
      this.#expected.delete(topic);
      await this.#expect(topic);
      await this.#publisher.publish(topic, text);
      return text.length;
    });
    this.#publishing.add(publishing);
    const end = () => void this.#publishing.delete(publishing);
    publishing.then(end, end);
    return publishing;
  }

  /** Messages wait for the operator, also before it is placed. */
  #expect(topic: string): Promise<void> {
    let expected = this.#expected.get(topic);
    if (!expected) {
      expected = this.#parts.host().then((host) => host.expectSubscriber(topic, topic));
      this.#expected.set(topic, expected);
      expected.catch(() => this.#expected.delete(topic));
    }
    return expected;
  }
}
