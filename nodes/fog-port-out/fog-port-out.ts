import type { Node, NodeAPI, NodeDef } from 'node-red';
import { toGaruaError } from '../../lib/base';
import { type PortOutSettings, type PortTarget, partitionOf } from '../../lib/placement';
import { nodeError, StatusLine, type Translate } from '../feedback';
import { type HostLease, hostPool } from '../fog-host/host-pool';
import { encodeMessage } from '../fog-messages';
import { type Content, countSent, Outlet, Route } from '../fog-port';

interface FogPortOutDef extends NodeDef, PortOutSettings {}

type Done = (error?: Error) => void;

/** The runtime side of a fog-port-out: where the messages of one output of an operator leave its tab. */
class FogPortOutNode {
  readonly #RED: NodeAPI;
  readonly #instance: string;
  readonly #targets: readonly PortTarget[];
  readonly #lease: HostLease;
  readonly #outlet: Outlet;
  readonly #status: StatusLine;
  /** By topic. */
  readonly #routes = new Map<string, Route>();
  /** Messages are encoded one after another: a large one is not overtaken. */
  #encoding: Promise<unknown> = Promise.resolve();
  #isOk = false;

  constructor(
    RED: NodeAPI,
    node: Node,
    { instance, dataDirectory, targets }: FogPortOutDef,
    translate: Translate,
  ) {
    this.#RED = RED;
    this.#instance = instance;
    this.#targets = targets;
    this.#lease = hostPool.acquire({ dataDirectory });
    this.#outlet = new Outlet(this.#lease.host);
    this.#status = new StatusLine('fog-port-out', (status) => node.status(status), translate);
  }

  input(message: Content, done: Done): void {
    let left = this.#targets.length;
    let failure: unknown;
    const settled = (error?: unknown) => {
      failure ??= error;
      left -= 1;
      if (left === 0) this.#settle(failure, done);
    };
    if (left === 0) done();
    for (const target of this.#targets) this.#routeOf(target, message).send(message, settled);
  }

  async close(): Promise<void> {
    for (const route of this.#routes.values()) route.close();
    // What is only now to go by way of the host is being encoded.
    await this.#encoding;
    await this.#outlet.close();
    await this.#lease.release();
  }

  #settle(failure: unknown, done: Done): void {
    if (failure === undefined) {
      // To look the word up takes longer than all else.
      if (!this.#isOk) this.#status.ok('sent');
      this.#isOk = true;
      done();
      return;
    }
    // Not sent, so not done: what led to it comes again.
    if (toGaruaError(failure).code === 'ERR_ABORTED') return;
    this.#status.failed();
    this.#isOk = false;
    done(nodeError(failure, 'fog-port-out'));
  }

  #routeOf(target: PortTarget, message: Content): Route {
    const topic = this.#topicOf(target, message);
    const known = this.#routes.get(topic);
    if (known) return known;
    const route = new Route({
      topic,
      publish: (content) => this.#publish(topic, target, content),
      onSent: (bytes) => countSent(this.#instance, target.topic, bytes),
      copy: this.#targets.length > 1 ? (content) => this.#RED.util.cloneMessage(content as never) : undefined,
    });
    this.#routes.set(topic, route);
    return route;
  }

  async #publish(topic: string, target: PortTarget, content: Content): Promise<number> {
    const encoding = this.#encoding.then(() => encodeMessage(content));
    this.#encoding = encoding.catch(() => {});
    const { text } = await encoding;
    countSent(this.#instance, target.topic, text.length);
    await this.#outlet.publish(topic, text, target.isOperator);
    return text.length;
  }

  #topicOf({ topic, key }: PortTarget, message: Content): string {
    if (key === undefined) return topic;
    const value = this.#RED.util.getMessageProperty(message, key);
    return `${topic}/${partitionOf(typeof value === 'string' ? value : JSON.stringify(value ?? ''))}`;
  }
}

export = (RED: NodeAPI): void => {
  function FogPortOut(this: Node, definition: FogPortOutDef): void {
    RED.nodes.createNode(this, definition);
    const translate: Translate = (key, values) => RED._(key, values as never);
    // One that was put into a flow by hand belongs to no operator.
    if (!definition.instance) {
      this.status({ fill: 'grey', shape: 'ring', text: translate('fog-port-out.status.idle').slice(0, 19) });
      return;
    }
    const node = new FogPortOutNode(RED, this, definition, translate);
    this.on('input', (message, _send, done) => node.input(message as Content, done));
    this.on('close', (done: () => void) => {
      void node.close().finally(done);
    });
  }

  RED.nodes.registerType('fog-port-out', FogPortOut as never);
};
