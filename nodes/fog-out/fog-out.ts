import { setTimeout as delay } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { AbortedError, InvalidArgumentError, toGaruaError } from '../../lib/base';
import type { Host } from '../../lib/host';
import { Publisher, type PublishOptions, type QueuePolicy } from '../../lib/mesh';
import { Backlog, nodeError, StatusLine, type Translate } from '../feedback';
import { type HostUse, useHost } from '../fog-host/use-host';
import { cutOff, encodeMessage } from '../fog-messages';

interface FogOutDef extends NodeDef {
  host?: string;
  topic?: string;
  retain?: boolean;
  policy?: QueuePolicy;
  maximum?: string | number;
}

type Message = Record<string, unknown>;
type Done = (error?: Error) => void;

/** Between two looks whether messages still wait, in ms. */
const LOOK_PAUSE = 1_000;
/** What may wait for a host that is slow, or hangs. */
const BACKLOG = { messages: 50_000, bytes: 64 << 20 };
/** How long a node that is deployed anew waits for what it has taken, in ms; Node-RED itself waits 15 s. */
const CLOSE_PATIENCE = 8_000;
/** What the status calls an error. */
const FAILURES: Record<string, string> = { ERR_MESSAGES_QUEUE_FULL: 'full', ERR_BACKLOG_FULL: 'full' };

/** The runtime side of one fog-out node. */
class FogOutNode {
  readonly #node: Node;
  readonly #topic: string;
  readonly #options: PublishOptions;
  readonly #lease: HostUse;
  readonly #publisher: Publisher;
  readonly #status: StatusLine;
  readonly #translate: Translate;
  /** What was left out and has been told. */
  readonly #told = new Set<string>();
  /** Messages are encoded one after another, so that a large one is not overtaken. */
  #encoding: Promise<unknown> = Promise.resolve();
  readonly #backlog = new Backlog(BACKLOG);
  readonly #sending = new Set<Promise<void>>();
  #look: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(RED: NodeAPI, node: Node, definition: FogOutDef, translate: Translate) {
    this.#node = node;
    this.#translate = translate;
    this.#topic = definition.topic?.trim() ?? '';
    const maximum = Number(definition.maximum) || undefined;
    this.#options = {
      retain: definition.retain === true,
      policy: definition.policy || 'drop-oldest',
      maximumMessages: maximum,
    };
    this.#lease = useHost(RED, definition.host);
    this.#publisher = new Publisher(() => this.#host());
    this.#status = new StatusLine('fog-out', (status) => node.status(status), translate);
  }

  input(message: Message, done: Done): void {
    const sending = this.#send(message)
      .then(
        () => done(),
        (error) => {
          this.#status.failed(FAILURES[toGaruaError(error).code]);
          done(nodeError(error, 'fog-out'));
        },
      )
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  /** What was taken is sent, so far as the host takes it in time. */
  async close(): Promise<void> {
    const patience = new AbortController();
    const { signal } = patience;
    await Promise.race([
      Promise.all(this.#sending),
      delay(CLOSE_PATIENCE, undefined, { signal }).catch(() => {}),
    ]);
    patience.abort();
    this.#closed = true;
    clearTimeout(this.#look);
    await this.#lease.release();
  }

  #send(message: Message): Promise<void> {
    return this.#backlog.hold(async ({ grow }) => {
      const { text, omitted } = await this.#encode(message);
      grow(text.length);
      this.#tell(omitted);
      // The node's own topic goes first, as with mqtt out: what came from a fog-in must not go round in circles.
      const topic = this.#topic || String(message.topic ?? '');
      if (topic === '')
        throw new InvalidArgumentError(
          this.#translate('fog-out.error.topic'),
          this.#translate('fog-out.error.topicHint'),
        );
      const retain = typeof message.retain === 'boolean' ? message.retain : this.#options.retain;
      const { waiting } = await this.#publisher.publish(topic, text, { ...this.#options, retain });
      if (waiting > 0) this.#lookLater(topic);
      else this.#status.ok('sent');
    });
  }

  #encode(message: Message): ReturnType<typeof encodeMessage> {
    const encoded = this.#encoding.then(() => encodeMessage(message));
    this.#encoding = encoded.catch(() => {});
    return encoded;
  }

  /** A host that was given back is not opened again: nobody would close it. */
  #host(): Promise<Host> {
    return this.#closed ? Promise.reject(new AbortedError('the message')) : this.#lease.host();
  }

  /** Looks until all are there; a host that is cut off is shown, one that is just being served is not. */
  #lookLater(topic: string, pause = 0): void {
    if (this.#look || this.#closed) return;
    this.#look = setTimeout(async () => {
      const found = await this.#host()
        .then((host) => cutOff(host, topic))
        .catch(() => undefined);
      this.#look = undefined;
      if (this.#closed) return;
      if (found && found.cutOff > 0) this.#status.waiting('waiting', { n: found.cutOff });
      else this.#status.ok('sent');
      if (!found || found.waiting > 0) this.#lookLater(topic, LOOK_PAUSE);
    }, pause);
  }

  #tell(omitted: string[]): void {
    const news = omitted.filter((path) => !this.#told.has(path)).slice(0, 10);
    for (const path of news) this.#told.add(path);
    if (news.length > 0) this.#node.warn(this.#translate('fog-out.omitted', { list: news.join(', ') }));
  }
}

export = (RED: NodeAPI): void => {
  function FogOut(this: Node, definition: FogOutDef): void {
    RED.nodes.createNode(this, definition);
    const translate: Translate = (key, values) => RED._(key, values as never);
    let node: FogOutNode;
    try {
      node = new FogOutNode(RED, this, definition, translate);
    } catch (error) {
      this.status({ fill: 'red', shape: 'ring', text: translate('fog-out.status.failed').slice(0, 19) });
      this.error(nodeError(error, 'fog-out'));
      this.on('input', (_message, _send, done) => done(nodeError(error, 'fog-out')));
      return;
    }
    this.on('input', (message, _send, done) => node.input(message as Message, done));
    this.on('close', (done: () => void) => {
      void node.close().finally(done);
    });
  }

  RED.nodes.registerType('fog-out', FogOut as never);
};
