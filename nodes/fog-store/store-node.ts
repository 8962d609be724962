import type { Node, NodeAPI, NodeDef } from 'node-red';
import { type LongCall, toGaruaError } from '../../lib/base';
import type { Host } from '../../lib/host';
import { Backlog, nodeError, StatusLine, type Translate } from '../feedback';
import { type HostUse, useHost } from '../fog-host/use-host';
import type { Message } from './properties';

/** What a node does for one message. */
export interface StoreWork {
  /** Answers the message to send on. */
  serve(message: Message, work: Work): Promise<Message>;
  /** Looks whether the node can do its work, and shows what is missing. */
  check(host: Host, status: StatusLine): Promise<void>;
}

export interface Work {
  host: Host;
  /** For the calls to the host: ends with the node, and shows its progress. */
  call: LongCall;
  status: StatusLine;
}

type Done = (error?: Error) => void;
type Send = (message: never) => void;

/** Messages that may wait for a host that is slow, or hangs. */
const BACKLOG = { messages: 1_000 };

/** The runtime side of a node of the store: one message after another, each with a status and an error of its own. */
export class StoreNode {
  readonly #type: string;
  readonly #status: StatusLine;
  readonly #closing = new AbortController();
  #lease: HostUse | undefined;
  readonly #backlog = new Backlog(BACKLOG);
  #queue: Promise<unknown> = Promise.resolve();

  /** @param make reads the dialog's settings; what it throws is the node's error for each message */
  constructor(RED: NodeAPI, node: Node, definition: NodeDef & { host?: string }, make: () => StoreWork) {
    this.#type = definition.type;
    const translate: Translate = (key, values) => RED._(key, values as never);
    this.#status = new StatusLine(this.#type, (status) => node.status(status), translate);
    try {
      const work = make();
      const lease = useHost(RED, definition.host);
      this.#lease = lease;
      node.on('input', (message, send, done) => this.#input(work, lease, message as Message, send, done));
      // After all nodes of the flow are made: a host that takes long to open holds none of them up.
      setImmediate(() => void this.#check(work, lease));
    } catch (error) {
      this.#fail(error);
      node.error(nodeError(error, this.#type));
      node.on('input', (_message, _send, done) => done(nodeError(error, this.#type)));
    }
    node.on('close', (_removed: boolean, done: () => void) => void this.#close().finally(done));
  }

  async #check(work: StoreWork, lease: HostUse): Promise<void> {
    if (this.#closing.signal.aborted) return;
    try {
      await work.check(await lease.host(), this.#status);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#fail(error);
    }
  }

  #input(work: StoreWork, lease: HostUse, message: Message, send: Send, done: Done): void {
    const { signal } = this.#closing;
    const served = this.#backlog.hold(() => {
      const turn = this.#queue.then(async () => {
        signal.throwIfAborted();
        this.#status.working();
        const call: LongCall = { signal, onProgress: (progress) => this.#status.progress(progress) };
        send((await work.serve(message, { host: await lease.host(), call, status: this.#status })) as never);
      });
      this.#queue = turn.catch(() => {});
      return turn;
    });
    served.then(
      () => done(),
      (error) => {
        // Whoever restarts the flow knows that its work ends.
        if (signal.aborted) return done();
        this.#fail(error);
        done(nodeError(error, this.#type));
      },
    );
  }

  #fail(error: unknown): void {
    this.#status.error(toGaruaError(error, this.#type));
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.#queue;
    await this.#lease?.release();
  }
}
