import { setTimeout as delay } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { nodeError, type Translate } from '../feedback';
import { type HostUse, useHost } from '../fog-host/use-host';
import { Lookout } from './lookout';
import { MoveStatus } from './move-status';
import { Mover } from './mover';
import { checkpointOf, invalid, isCheckpoint, type MigrateSettings, modeOf, moveOf } from './settings';
import { type Watch, watchOf } from './watches';

/** How long a node that is deployed anew waits for its moves, in ms; Node-RED itself waits 15 s. */
const CLOSE_PATIENCE = 8_000;

interface MigrateDef extends NodeDef, MigrateSettings {
  host?: string;
}

type Message = Record<string, unknown>;
type Send = (message: Message) => void;
type Done = (error?: Error) => void;

/** The runtime side of one migrate node. Containers may move at the same time, each once. */
class MigrateNode {
  readonly #settings: MigrateSettings;
  readonly #watch: Watch | undefined;
  readonly #lease: HostUse;
  readonly #translate: Translate;
  readonly #status: MoveStatus;
  readonly #mover: Mover;
  readonly #lookout: Lookout | undefined;
  readonly #closing = new AbortController();
  readonly #orders = new Set<Promise<void>>();

  constructor(RED: NodeAPI, node: Node, definition: MigrateDef, translate: Translate) {
    this.#settings = definition;
    this.#translate = translate;
    const watch = watchOf(definition, translate);
    const mode = watch && modeOf(definition, {}, translate);
    this.#watch = watch;
    this.#lease = useHost(RED, definition.host);
    this.#status = new MoveStatus((status) => node.status(status), translate);
    const { signal } = this.#closing;
    const host = () => this.#lease.host();
    this.#mover = new Mover(host, this.#status, signal);
    if (!watch || !mode) return;
    this.#lookout = new Lookout({
      ...{ host, watch, mode, signal, status: this.#status, mover: this.#mover },
      onMoved: ({ result, container, to, reason, remaining }) =>
        node.send({ payload: result, container, host: to, reason, remaining } as never),
      onError: (error, decision = {} as never) =>
        node.error(nodeError(error, 'migrate'), { ...decision, payload: null } as never),
    });
  }

  input(message: Message, send: Send, done: Done): void {
    const order = this.#serve(message, send)
      .then(
        () => done(),
        (error) => this.#fail(error, done),
      )
      .finally(() => this.#orders.delete(order));
    this.#orders.add(order);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const ended = Promise.all([...this.#orders, this.#lookout?.ended()]);
    // A move that has gone too far to be given up ends without this node.
    await Promise.race([ended, delay(CLOSE_PATIENCE, undefined, { ref: false })]);
    await this.#lease.release();
  }

  async #serve(message: Message, send: Send): Promise<void> {
    const settings = this.#settings;
    if (message.cancel === true) {
      this.#mover.cancel(String(message.container ?? settings.container ?? '').trim());
      return;
    }
    if (this.#watch?.take(message)) return;
    // A trigger decides by itself; a message that names a host is an order all the same.
    if (this.#watch && message.host === undefined) throw invalid('message', this.#translate);
    if (!this.#watch && isCheckpoint(settings, message)) {
      const order = checkpointOf(settings, message, this.#translate);
      const payload = await this.#mover.checkpoint(order);
      send({ ...message, payload, filename: order.filename });
      return;
    }
    const move = moveOf(settings, message, this.#translate);
    await this.#mover.move(move, (payload) => send({ ...message, payload }));
  }

  #fail(error: unknown, done: Done): void {
    // Whoever restarts the flow knows that its work ends.
    if (this.#closing.signal.aborted) {
      done();
      return;
    }
    this.#mover.failed(error);
    done(nodeError(error, 'migrate'));
  }
}

export = (RED: NodeAPI): void => {
  function Migrate(this: Node, definition: MigrateDef): void {
    RED.nodes.createNode(this, definition);
    const translate: Translate = (key, values) => RED._(key, values as never);
    let node: MigrateNode;
    try {
      node = new MigrateNode(RED, this, definition, translate);
    } catch (error) {
      this.status({ fill: 'red', shape: 'ring', text: translate('migrate.status.failed').slice(0, 19) });
      this.error(nodeError(error, 'migrate'));
      this.on('input', (_message, _send, done) => done(nodeError(error, 'migrate')));
      return;
    }
    this.on('input', (message, send, done) => node.input(message as Message, send as never, done));
    this.on('close', (done: () => void) => {
      void node.close().finally(done);
    });
  }

  RED.nodes.registerType('migrate', Migrate as never);
};
