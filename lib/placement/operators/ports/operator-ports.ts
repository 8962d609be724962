import { AbortedError, type ErrorDocument, fromErrorDocument } from '../../../base';
import { PortGoneError, PortUnknownError } from './errors';
import type { PortAnswer, PortCommand, PortOrder } from './ports';

interface Pending {
  resolve(answer: PortAnswer): void;
  reject(error: unknown): void;
}

/** The nodes of instances in this machine's Node-RED that are connected to its host, and what they are asked. */
export class OperatorPorts {
  readonly #attached = new Map<string, Connection>();
  readonly #listeners = new Set<(instance: string) => void>();
  #lastId = 0;

  isAttached(instance: string): boolean {
    return this.#attached.has(instance);
  }

  /** Calls the listener for each instance whose node comes, also when it comes again. @returns undoes it */
  onAttached(listener: (instance: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The commands for an instance, for its node; one that comes later takes its place. */
  async *attach(instance: string, signal?: AbortSignal): AsyncIterable<PortCommand> {
    const connection = new Connection(instance);
    this.#attached.get(instance)?.close();
    this.#attached.set(instance, connection);
    const onAbort = () => connection.close();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      for (const listener of this.#listeners) listener(instance);
      yield* connection.commands();
    } finally {
      signal?.removeEventListener('abort', onAbort);
      connection.close();
      if (this.#attached.get(instance) === connection) this.#attached.delete(instance);
    }
  }

  /** @throws {PortUnknownError} {PortGoneError} {AbortedError} and what the node answers */
  async command(
    instance: string,
    order: PortOrder,
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<PortAnswer> {
    const connection = this.#attached.get(instance);
    if (!connection) throw new PortUnknownError(instance);
    if (signal?.aborted) throw new AbortedError(`${order.type} of ${instance}`);
    this.#lastId += 1;
    const id = this.#lastId;
    const onAbort = () =>
      connection.settle(id, ({ reject }) => reject(new AbortedError(`${order.type} of ${instance}`)));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await connection.ask({ ...order, id });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** What the node of an instance says to a command; an answer that nobody waits for is dropped. */
  answer(instance: string, id: number, answer: PortAnswer | { error: ErrorDocument }): void {
    this.#attached.get(instance)?.settle(id, ({ resolve, reject }) => {
      if ('error' in answer) reject(fromErrorDocument(answer.error));
      else resolve(answer);
    });
  }
}

/** One node that listens. */
class Connection {
  readonly #instance: string;
  readonly #pending = new Map<number, Pending>();
  readonly #queue: PortCommand[] = [];
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(instance: string) {
    this.#instance = instance;
  }

  ask(command: PortCommand): Promise<PortAnswer> {
    return new Promise((resolve, reject) => {
      this.#pending.set(command.id, { resolve, reject });
      this.#queue.push(command);
      this.#wake?.();
    });
  }

  settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending) how(pending);
  }

  async *commands(): AsyncIterable<PortCommand> {
    while (!this.#closed) {
      const command = this.#queue.shift();
      if (command) yield command;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
    for (const id of [...this.#pending.keys()]) {
      this.settle(id, ({ reject }) => reject(new PortGoneError(this.#instance)));
    }
  }
}
