import { join } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { toGaruaError } from '../../lib/base';
import type { KeyChoice, Snapshottable } from '../../lib/placement';
import {
  DurableState,
  forgetKeys,
  isLate,
  isTime,
  type LateEvent,
  mergeSnapshot,
  type Output,
  type Pane,
  SteadyClock,
  type StreamEvent,
  StreamStorageError,
  takeSnapshot,
  WindowEngine,
  WindowRunner,
} from '../../lib/stream';
import { nodeError } from '../feedback';
import { EventReader, keyText, type Message, MessageEvent, milliseconds, type Reading } from './event-reader';
import { readSettings, type WindowDef, type WindowSettings } from './settings';
import { StatusLine, type Translate } from './status-line';

type Done = (error?: Error) => void;

/** Milliseconds without a failure to write after which the next one is news. */
const STORAGE_QUIET = 10_000;

/** The runtime side of one window node. */
class WindowNode implements Snapshottable {
  readonly #node: Node;
  readonly #settings: WindowSettings;
  readonly #translate: Translate;
  readonly #reader: EventReader;
  readonly #engine: WindowEngine;
  readonly #path: string | undefined;
  #clock = new SteadyClock();
  readonly #status: StatusLine;
  readonly #ready: Promise<void>;
  #runner: WindowRunner | undefined;
  /** Until then another failure to write is the same outage. */
  #quietUntil = 0;
  /** Id of the message that is being served: the panes that it fires carry it on. */
  #trigger: unknown;
  /** Messages in their order, where a key takes a while or the state is still being read. */
  #queue: Promise<void> | undefined;

  constructor(RED: NodeAPI, node: Node, definition: WindowDef, translate: Translate) {
    this.#node = node;
    this.#translate = translate;
    this.#settings = readSettings(definition);
    const { key, spec, limits, durable } = this.#settings;
    const expression = key.type === 'jsonata' ? RED.util.prepareJSONataExpression(key.text, node) : undefined;
    this.#reader = new EventReader(this.#settings, {
      property: (message, path) => RED.util.getMessageProperty(message, path),
      expression: (message) =>
        new Promise((resolve, reject) => {
          RED.util.evaluateJSONataExpression(expression!, message, (error, value) =>
            error ? reject(error) : resolve(value),
          );
        }),
    });
    this.#engine = new WindowEngine(spec, limits, { wallClock: true });
    const { userDir } = RED.settings as { userDir?: string };
    this.#path = userDir
      ? join(userDir, 'garua', 'windows', `${node.id.replace(/[^\w.-]/g, '_')}.db`)
      : undefined;
    this.#status = new StatusLine(this.#engine, {
      show: (status) => node.status(status),
      translate,
      now: () => this.#clock.now(),
    });
    this.#ready = this.#start(durable && this.#path !== undefined);
    this.#queue = this.#ready;
  }

  input(message: Message, done: Done): void {
    // Without a queue a message is served before this returns.
    if (this.#queue === undefined) {
      this.#serve(message, this.#reader.read(message), done);
      return;
    }
    const serve = this.#reader.isSlow ? this.#reader.readSlowly(message) : undefined;
    // Its error is reported in its turn.
    serve?.catch(() => {});
    this.#queue = this.#queue
      .then(async () => this.#serve(message, serve ? await serve : this.#reader.read(message), done))
      .catch((error) => done(nodeError(error, 'window')));
  }

  snapshot(choose?: KeyChoice): Promise<Uint8Array> {
    return this.#exclusively(() => takeSnapshot(this.#engine, choose));
  }

  restore(state: Uint8Array): Promise<void> {
    return this.#exclusively(() => mergeSnapshot(this.#engine, state));
  }

  forget(choose?: KeyChoice): Promise<void> {
    return this.#exclusively(() => forgetKeys(this.#engine, choose));
  }

  async close(removed: boolean): Promise<void> {
    await this.#ready;
    await this.#queue;
    this.#status.close();
    try {
      await this.#runner?.close();
    } finally {
      if (removed && this.#settings.durable && this.#path) await DurableState.remove(this.#path);
    }
  }

  /** Does something with the engine between two messages. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    await (this.#queue ?? this.#ready);
    return new Promise<T>((resolve, reject) => {
      this.#runner!.push({ kind: 'exclusive', work: () => work().then(resolve, reject) });
    });
  }

  async #start(durable: boolean): Promise<void> {
    const state = durable ? await this.#openState() : undefined;
    this.#clock = new SteadyClock(this.#engine.clock);
    this.#runner = new WindowRunner(this.#engine, {
      clock: this.#clock,
      durable: state,
      onOutput: (output) => this.#send(output),
      onError: (error) => this.#fail(error),
    });
    this.#status.update();
    if (!this.#reader.isSlow) this.#queue = undefined;
  }

  /** Without its file the node goes on, and says so. */
  async #openState(): Promise<DurableState | undefined> {
    try {
      const state = await DurableState.open(this.#engine, {
        path: this.#path!,
        settings: this.#settings.fingerprint,
      });
      const { outcome } = state;
      if (outcome === 'restored') this.#node.log(this.#translate('window.state.restored'));
      else if (outcome !== 'new') this.#node.warn(this.#translate(`window.state.${outcome}`));
      return state;
    } catch (error) {
      this.#fail(error, true);
      return undefined;
    }
  }

  #serve(message: Message, reading: Reading, done: Done): void {
    if (this.#control(message, done)) return;
    if (reading.defect) {
      this.#node.send([
        null,
        { ...message, payload: { late: reading.event, reason: reading.defect } } as never,
      ]);
      done();
      return;
    }
    this.#trigger = message._msgid;
    this.#runner!.push({ kind: 'event', event: reading.event, done });
    this.#trigger = undefined;
  }

  /** @returns whether the message is about the windows, and no event */
  #control({ action, key, payload }: Message, done: Done): boolean {
    if (action === 'flush' || action === 'reset') {
      const only = key === undefined ? undefined : keyText(key);
      // What is no key must not be taken for all of them: their windows would be gone.
      if (key !== undefined && only === undefined) done(new Error(this.#translate('window.invalid.key')));
      else this.#runner!.push({ kind: action, key: only, done });
      return true;
    }
    if (action !== 'watermark') return false;
    const value = milliseconds(
      payload,
      typeof payload === 'string' && /[-:]/.test(payload.slice(1)) ? 'iso' : 'ms',
    );
    if (isTime(value)) this.#runner!.push({ kind: 'watermark', value, done });
    else done(new Error(this.#translate('window.invalid.watermark')));
    return true;
  }

  #send(output: Output): void {
    if (isLate(output)) this.#sendLate(output);
    // One message alone goes to the first output, with less ado than a list.
    else this.#node.send(paneMessage(output, this.#trigger));
  }

  #sendLate(output: LateEvent): void {
    if (output.reason === 'limit') this.#status.limitReached();
    const message = MessageEvent.messageOf(output.late);
    this.#node.send([
      null,
      { ...message, payload: { late: plain(output.late), reason: output.reason } } as never,
    ]);
  }

  #fail(error: unknown, forGood = false): void {
    this.#status.failed(toGaruaError(error, 'window').code, forGood);
    if (error instanceof StreamStorageError) {
      // A full disk fails each second; the status shows that it goes on.
      const now = performance.now();
      const quiet = now < this.#quietUntil;
      this.#quietUntil = now + STORAGE_QUIET;
      if (quiet) return;
    }
    this.#node.error(nodeError(error, 'window'), {} as never);
  }
}

/** The pane is the payload, its key the topic. One that the clock has fired gets its id from Node-RED. */
function paneMessage(pane: Pane, id: unknown): never {
  const { key: topic } = pane;
  return (id === undefined ? { topic, payload: pane } : { topic, payload: pane, _msgid: id }) as never;
}

function plain({ time, key, value, source }: StreamEvent): StreamEvent {
  return { time: time as number, key: key as string, value, source: source as string };
}

export = (RED: NodeAPI): void => {
  function Window(this: Node, definition: WindowDef): void {
    RED.nodes.createNode(this, definition);
    const translate: Translate = (key, values) => RED._(key, values as never);
    let node: WindowNode;
    try {
      node = new WindowNode(RED, this, definition, translate);
    } catch (error) {
      this.status({ fill: 'red', shape: 'ring', text: translate('window.error.settings').slice(0, 19) });
      this.error(nodeError(error, 'window'));
      this.on('input', (_message, _send, done) => done(nodeError(error, 'window')));
      return;
    }
    const snapshottable: Snapshottable = {
      snapshot: (choose) => node.snapshot(choose),
      restore: (state) => node.restore(state),
      forget: (choose) => node.forget(choose),
    };
    Object.assign(this, snapshottable);
    this.on('input', (message, _send, done) => node.input(message as Message, done));
    this.on('close', (removed: boolean, done: () => void) => {
      node
        .close(removed)
        .catch((error) => this.error(nodeError(error, 'window')))
        .finally(done);
    });
  }

  RED.nodes.registerType('window', Window as never);
};
