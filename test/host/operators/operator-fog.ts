/** Hosts of one fog that run operators in a Node-RED. */
import { openHost } from '../../../lib/control';
import type { Host, LocalHost } from '../../../lib/host';
import {
  type FlowEvent,
  inputTopic,
  keyedTopic,
  type OperatorStatus,
  type PlacedFlow,
  type PlacedOperator,
} from '../../../lib/placement';
import { decodeMessage, encodeMessage } from '../../../nodes/fog-messages';
import { eventually } from '../../mesh/support/mesh-process';

export const PATIENCE = 60_000;

/** Opens hosts of this process, each at a site `site-NAME`; the first one makes the fog. */
export async function openFog(
  names: string[],
  directory: (name: string) => string,
  nodeRed: (name: string) => string | undefined,
): Promise<Host[]> {
  const hosts: Host[] = [];
  for (const name of names) {
    const host = await openHost({
      ...{ dataDirectory: directory(name), name, site: `site-${name}`, nodeRed: nodeRed(name) },
      mesh: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      supervise: true,
    });
    hosts.push(host);
  }
  const [first, ...others] = hosts;
  await first!.fogCreate();
  if (others.length > 0) {
    const invite = await first!.fogInvite({ uses: others.length });
    for (const host of others) await host.fogJoin(invite);
  }
  for (const host of hosts) await eventually(() => upIn(host), names.length, PATIENCE);
  return hosts;
}

async function upIn(host: Pick<LocalHost, 'sites'>): Promise<number> {
  const all = (await host.sites()).flatMap(({ hosts }) => hosts);
  return all.filter(({ state }) => state === 'up').length;
}

/** An operator that counts, for itself and by key, what comes in, and sends the count on to `topics`. */
export function counter(
  id: string,
  more: Partial<PlacedOperator> & { topics?: string[]; step?: number } = {},
) {
  const { topics = [], step = 1, ...given } = more;
  const func = `const count = (context.get('count') || 0) + ${step}; context.set('count', count); msg.count = count; return msg;`;
  const node = (type: string, properties: object) => ({ ...properties, id: `${id}-${type}`, type });
  const operator: PlacedOperator = {
    ...{ id, name: id, cpu: 0.05, memory: 8, keyed: false, instances: { least: 1, most: 1 } },
    body: {
      kind: 'subflow',
      nodes: [
        node('fog-port-in', { wires: [[`${id}-function`]] }),
        node('function', { func, outputs: 1, wires: [[`${id}-fog-port-out`]] }),
        node('fog-port-out', { output: 0, wires: [] }),
      ],
      configs: [],
      types: ['fog-port-in', 'function', 'fog-port-out'],
    },
    outputs: [{ operators: [], topics }],
    ...given,
  };
  return operator;
}

/** A flow as its Node-RED places it. */
export class PlacedTestFlow {
  readonly events: FlowEvent[] = [];
  readonly #host: Host;
  #stop: AbortController | undefined;
  #done: Promise<void> | undefined;
  flow: PlacedFlow;

  constructor(host: Host, id: string, operators: PlacedOperator[]) {
    this.#host = host;
    this.flow = { id, operators, weights: { latency: 1, traffic: 0 }, everySeconds: 5 };
  }

  place(operators = this.flow.operators): void {
    this.flow = { ...this.flow, operators };
    const stop = new AbortController();
    this.#stop = stop;
    this.#done = (async () => {
      for await (const event of this.#host.placeFlow(this.flow, { signal: stop.signal })) {
        this.events.push(event);
      }
    })().catch(() => {});
  }

  async leave(): Promise<void> {
    this.#stop?.abort();
    await this.#done;
  }

  async redeploy(operators: PlacedOperator[]): Promise<void> {
    await this.leave();
    this.place(operators);
  }

  async status(operator: string): Promise<OperatorStatus | undefined> {
    const all = await this.#host.operators();
    return all.find((each) => each.flow === this.flow.id && each.operator === operator);
  }

  /** Waits until the operator is in that state. */
  async reaches(operator: string, state: OperatorStatus['state'] | string): Promise<OperatorStatus> {
    const look = async () => {
      const status = await this.status(operator);
      return status?.error && state !== status.state
        ? `${status.state}: ${status.error.message}`
        : status?.state;
    };
    await eventually(look, state, PATIENCE);
    return (await this.status(operator))!;
  }
}

/** Publishes `{ n, key }` to an operator, as its place-operator does. */
export async function send(
  host: Host,
  owner: string,
  flow: string,
  operator: string,
  numbers: Iterable<number>,
  keyOf?: (n: number) => string,
): Promise<void> {
  for (const n of numbers) {
    const key = keyOf?.(n);
    const topic = keyOf ? keyedTopic(owner, flow, operator, key) : inputTopic(owner, flow, operator);
    await host.expectSubscriber(topic, topic);
    await host.publish(topic, (await encodeMessage({ payload: n, key })).text);
  }
}

/** What comes back from operators by a topic. */
export class Returned {
  readonly messages: { payload: number; count: number; key?: string }[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(host: Host, topic: string) {
    this.#done = (async () => {
      const options = { subscriber: `test of ${topic}`, retained: false, signal: this.#stop.signal };
      for await (const { body, sequence } of host.subscribe(topic, options)) {
        this.messages.push((await decodeMessage(body)) as never);
        await host.acknowledge(options.subscriber, [sequence]);
      }
    })().catch(() => {});
  }

  get numbers(): number[] {
    return this.messages.map(({ payload }) => payload);
  }

  async reach(count: number): Promise<void> {
    await eventually(async () => this.messages.length >= count, true, PATIENCE);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

export const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);
