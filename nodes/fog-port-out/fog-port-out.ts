import type { Node, NodeAPI, NodeDef } from 'node-red';
import { toGaruaError } from '../../lib/base';
import { type PortOutSettings, type PortTarget, partitionOf } from '../../lib/placement';
import { nodeError, StatusLine, type Translate } from '../feedback';
import { type HostLease, hostPool } from '../fog-host/host-pool';
import { encodeMessage } from '../fog-messages';
import { countSent, Outlet } from '../fog-port';

interface FogPortOutDef extends NodeDef, PortOutSettings {}

type Message = Record<string, unknown>;
type Done = (error?: Error) => void;

/** The runtime side of a fog-port-out: where the messages of one output of an operator leave its tab. */
class FogPortOutNode {
  readonly #RED: NodeAPI;
  readonly #instance: string;
  readonly #targets: readonly PortTarget[];
  readonly #lease: HostLease;
  readonly #outlet: Outlet;
  readonly #status: StatusLine;
  /** Messages are encoded one after another: a large one is not overtaken. */
  #encoding: Promise<unknown> = Promise.resolve();

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

  input(message: Message, done: Done): void {
    this.#send(message).then(
      () => {
        this.#status.ok('sent');
        done();
      },
      (error) => {
        // Not sent, so not done: what led to it comes again.
        if (toGaruaError(error).code === 'ERR_ABORTED') return;
        this.#status.failed();
        done(nodeError(error, 'fog-port-out'));
      },
    );
  }

  async close(): Promise<void> {
    await this.#outlet.close();
    await this.#lease.release();
  }

  async #send(message: Message): Promise<void> {
    const topics = this.#targets.map((target) => this.#topicOf(target, message));
    const encoding = this.#encoding.then(() => encodeMessage(message));
    this.#encoding = encoding.catch(() => {});
    const { text } = await encoding;
    await Promise.all(
      this.#targets.map(({ topic, isOperator }, at) => {
        countSent(this.#instance, topic, text.length);
        return this.#outlet.publish(topics[at]!, text, isOperator);
      }),
    );
  }

  #topicOf({ topic, key }: PortTarget, message: Message): string {
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
    this.on('input', (message, _send, done) => node.input(message as Message, done));
    this.on('close', (done: () => void) => {
      void node.close().finally(done);
    });
  }

  RED.nodes.registerType('fog-port-out', FogPortOut as never);
};
