import type { Node, NodeAPI, NodeDef, NodeStatus } from 'node-red';
import { fromErrorDocument, type Progress, toGaruaError } from '../../lib/base';
import { type HostUse, useHost } from '../fog-host/use-host';
import { nodeError, type Translate } from '../fog-messages';
import { progressText } from './progress-text';
import { type MoveSettings, moveOf } from './settings';

interface MigrateDef extends NodeDef, MoveSettings {
  host?: string;
}

type Message = Record<string, unknown>;
type Done = (error?: Error) => void;

/** At most four updates a second: each goes to every open editor. */
const INTERVAL = 250;

/** The runtime side of one migrate node. Containers may move at the same time, each once. */
class MigrateNode {
  readonly #node: Node;
  readonly #settings: MoveSettings;
  readonly #lease: HostUse;
  readonly #translate: Translate;
  readonly #closing = new AbortController();
  readonly #moves = new Set<Promise<void>>();
  /** Gives a move up, by container. */
  readonly #cancels = new Map<string, AbortController>();
  #shownAt = 0;

  constructor(RED: NodeAPI, node: Node, definition: MigrateDef, translate: Translate) {
    this.#node = node;
    this.#settings = definition;
    this.#translate = translate;
    this.#lease = useHost(RED, definition.host);
  }

  input(message: Message, send: (message: Message) => void, done: Done): void {
    if (message.cancel === true) {
      this.#cancels.get(String(message.container ?? this.#settings.container ?? '').trim())?.abort();
      done();
      return;
    }
    const move = this.#move(message, send)
      .then(
        () => done(),
        (error) => this.#fail(error, done),
      )
      .finally(() => this.#moves.delete(move));
    this.#moves.add(move);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#moves);
    await this.#lease.release();
  }

  async #move(message: Message, send: (message: Message) => void): Promise<void> {
    const { container, ...options } = moveOf(this.#settings, message, this.#translate);
    const cancel = new AbortController();
    const signal = AbortSignal.any([cancel.signal, this.#closing.signal]);
    const host = await this.#lease.host();
    // The second move of the same container is refused; the first is the one that can be given up.
    const first = !this.#cancels.has(container);
    if (first) this.#cancels.set(container, cancel);
    try {
      const onProgress = (progress: Progress) => this.#progress(progress);
      const result = await host.migrate(container, { ...options, signal, onProgress });
      send({ ...message, payload: result });
      if ('error' in result && result.error) throw fromErrorDocument(result.error);
      this.#show('green', 'dot', 'moved', { host: options.to });
    } finally {
      if (first) this.#cancels.delete(container);
    }
  }

  #fail(error: unknown, done: Done): void {
    // Whoever restarts the flow knows that its work ends.
    if (this.#closing.signal.aborted) {
      done();
      return;
    }
    const { code } = toGaruaError(error, 'migrate');
    if (code === 'ERR_ABORTED') this.#show('yellow', 'ring', 'cancelled');
    else if (code === 'ERR_MIGRATION_IN_DOUBT') this.#show('yellow', 'ring', 'doubt');
    else this.#show('red', 'ring', 'failed');
    done(nodeError(error, 'migrate'));
  }

  #progress(progress: Progress): void {
    const now = performance.now();
    if (now - this.#shownAt < INTERVAL || this.#closing.signal.aborted) return;
    this.#shownAt = now;
    this.#node.status({ fill: 'blue', shape: 'ring', text: progressText(progress, this.#translate) });
  }

  #show(fill: NodeStatus['fill'], shape: NodeStatus['shape'], word: string, values = {}): void {
    const text = this.#translate(`migrate.status.${word}`, values).slice(0, 19);
    this.#node.status({ fill, shape, text } as NodeStatus);
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
