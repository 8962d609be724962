import { setTimeout as delay } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { InvalidArgumentError, toGaruaError } from '../../lib/base';
import type { Message } from '../../lib/mesh';
import { nodeError, StatusLine, type Translate } from '../feedback';
import { inTime } from '../fog-host/in-time';
import { type HostUse, useHost } from '../fog-host/use-host';
import { decodeMessage, listen, reach } from '../fog-messages';

interface FogInDef extends NodeDef {
  host?: string;
  topic?: string;
  retained?: boolean;
}

/** Between two looks at the other sites, in ms. */
const LOOK_PAUSE = 2_000;
/** How long a node that is deleted waits for the host to forget it, in ms. */
const FORGET_PATIENCE = 3_000;

/** The runtime side of one fog-in node: a subscriber that is named like it. */
class FogInNode {
  readonly #node: Node;
  readonly #topic: string;
  readonly #retained: boolean;
  readonly #lease: HostUse;
  readonly #status: StatusLine;
  readonly #closing = new AbortController();
  readonly #done: Promise<unknown>;
  /** The failure that was told; another one is news. */
  #failure = '';

  constructor(RED: NodeAPI, node: Node, definition: FogInDef, translate: Translate) {
    this.#node = node;
    this.#topic = definition.topic?.trim() ?? '';
    if (this.#topic === '') {
      throw new InvalidArgumentError(translate('fog-in.error.topic'), translate('fog-in.error.topicHint'));
    }
    this.#retained = definition.retained !== false;
    this.#lease = useHost(RED, definition.host);
    this.#status = new StatusLine('fog-in', (status) => node.status(status), translate);
    this.#status.working('connecting');
    this.#done = Promise.all([this.#listen(), this.#look()]);
  }

  async close(removed: boolean): Promise<void> {
    this.#closing.abort();
    await this.#done;
    try {
      if (removed) await this.#forget(AbortSignal.timeout(FORGET_PATIENCE));
    } finally {
      await this.#lease.release();
    }
  }

  #listen(): Promise<void> {
    const options = { subscriber: this.#node.id, retained: this.#retained, signal: this.#closing.signal };
    const take = (message: Message) => this.#send(message);
    return listen(this.#lease.host, this.#topic, options, take, (error) => this.#fail(error));
  }

  /** Sends it into the flow. What cannot be read would come again for ever: it is reported, and done with. */
  async #send({ topic, body, host, site, time, retained }: Message): Promise<void> {
    let message: Record<string, unknown>;
    try {
      message = await decodeMessage(body);
    } catch (error) {
      this.#node.error(nodeError(error, 'fog-in'), { topic } as never);
      return;
    }
    this.#node.send({ topic, ...message, fog: { topic, host, site, time, retained } } as never);
  }

  /** Shows how many other sites there are to hear from. */
  async #look(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#show(await reach(await this.#lease.host()));
        this.#failure = '';
      } catch (error) {
        if (!signal.aborted) this.#fail(error);
      }
      await delay(LOOK_PAUSE, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  #show({ others, up }: Awaited<ReturnType<typeof reach>>): void {
    if (this.#closing.signal.aborted) return;
    if (others === 0) this.#status.ok('alone');
    else if (up === 0) this.#status.waiting('cutOff');
    else this.#status.ok(up === 1 ? 'site' : 'sites', { n: up });
  }

  #fail(error: unknown): void {
    this.#status.failed();
    const { code } = toGaruaError(error);
    if (code !== this.#failure) this.#node.error(nodeError(error, 'fog-in'), {} as never);
    this.#failure = code;
  }

  /** The node is gone: nobody keeps messages for it any more. */
  async #forget(signal: AbortSignal): Promise<void> {
    // A host that could not be reached until now is not waited for.
    const host = await inTime(this.#lease.host(), signal);
    const queues = await inTime(host.queues(), signal);
    const own = queues.find(({ subscriber, to, from }) => subscriber === this.#node.id && to === from);
    if (own) await inTime(host.forgetQueue({ subscriber: own.subscriber, to: own.peerId }), signal);
  }
}

export = (RED: NodeAPI): void => {
  function FogIn(this: Node, definition: FogInDef): void {
    RED.nodes.createNode(this, definition);
    const translate: Translate = (key, values) => RED._(key, values as never);
    let node: FogInNode;
    try {
      node = new FogInNode(RED, this, definition, translate);
    } catch (error) {
      this.status({ fill: 'red', shape: 'ring', text: translate('fog-in.status.failed').slice(0, 19) });
      this.error(nodeError(error, 'fog-in'));
      return;
    }
    this.on('close', (removed: boolean, done: () => void) => {
      node
        .close(removed)
        .catch(() => {})
        .finally(done);
    });
  }

  RED.nodes.registerType('fog-in', FogIn as never);
};
