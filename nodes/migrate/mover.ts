import { fromErrorDocument, toGaruaError } from '../../lib/base';
import { callWithOutputFile } from '../../lib/control';
import type { CheckpointResult, Host, MigrateOutcome } from '../../lib/host';
import type { MoveStatus } from './move-status';
import type { CheckpointOrder, Move } from './settings';

/** Only root is to read the memory of a container. */
const CHECKPOINT_MODE = 0o600;

/** Moves containers, several at a time, each of them once; the status and the errors of all of them are the node's. */
export class Mover {
  readonly #host: () => Promise<Host>;
  readonly #status: MoveStatus;
  readonly #closing: AbortSignal;
  /** Gives up what is done with a container. */
  readonly #cancels = new Map<string, AbortController>();

  constructor(host: () => Promise<Host>, status: MoveStatus, closing: AbortSignal) {
    this.#host = host;
    this.#status = status;
    this.#closing = closing;
  }

  cancel(container: string): void {
    this.#cancels.get(container)?.abort();
  }

  /** @param onResult also learns of a move that was rolled back, which then throws */
  async move({ container, ...options }: Move, onResult: (result: MigrateOutcome) => void): Promise<void> {
    await this.#do(container, async (host, call) => {
      const result = await host.migrate(container, { ...options, ...call });
      onResult(result);
      if ('error' in result && result.error) throw fromErrorDocument(result.error);
      this.#status.ok('moved', { host: options.to });
    });
  }

  async checkpoint({ container, filename }: CheckpointOrder): Promise<CheckpointResult> {
    return this.#do(container, async (host, call) => {
      const write = (path: string) => host.checkpoint(container, path, call);
      const result = await callWithOutputFile(filename, write, CHECKPOINT_MODE);
      this.#status.ok('saved');
      return result;
    });
  }

  /** Shows how it went, where that is not good. */
  failed(error: unknown): void {
    const { code } = toGaruaError(error, 'migrate');
    if (code === 'ERR_ABORTED') this.#status.waiting('cancelled');
    else if (code === 'ERR_MIGRATION_IN_DOUBT') this.#status.waiting('doubt');
    else this.#status.failed();
  }

  async #do<T>(
    container: string,
    work: (host: Host, call: Pick<Parameters<Host['migrate']>[1], 'signal' | 'onProgress'>) => Promise<T>,
  ): Promise<T> {
    const cancel = new AbortController();
    const signal = AbortSignal.any([cancel.signal, this.#closing]);
    const host = await this.#host();
    // A second move of the same container is refused by the host; the first is the one that can be given up.
    const first = !this.#cancels.has(container);
    if (first) this.#cancels.set(container, cancel);
    try {
      const onProgress = (progress: Parameters<MoveStatus['progress']>[0]) => {
        if (!this.#closing.aborted) this.#status.progress(progress);
      };
      return await work(host, { signal, onProgress });
    } finally {
      if (first) this.#cancels.delete(container);
    }
  }
}
