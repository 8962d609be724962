/** Changes kept for a subscriber that does not read; the oldest are dropped beyond this. */
const QUEUE_LIMIT = 1_000;

/** Hands values to any number of subscribers, each with its own queue. */
export class Changes<T> {
  readonly #subscribers = new Set<(value: T | undefined) => void>();

  emit(value: T): void {
    for (const deliver of [...this.#subscribers]) deliver(value);
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const deliver of [...this.#subscribers]) deliver(undefined);
    this.#subscribers.clear();
  }

  /** Calls back for each value until the returned function is called. */
  listen(listener: (value: T) => void): () => void {
    const deliver = (value: T | undefined) => {
      if (value !== undefined) listener(value);
    };
    this.#subscribers.add(deliver);
    return () => this.#subscribers.delete(deliver);
  }

  /** All values from now on, until the signal fires. Nothing between two reads is lost. */
  subscribe(signal: AbortSignal | undefined): AsyncIterableIterator<T> {
    const queue: T[] = [];
    let wake: (() => void) | undefined;
    let ended = false;
    const end = () => {
      ended = true;
      this.#subscribers.delete(deliver);
      signal?.removeEventListener('abort', end);
      wake?.();
    };
    const deliver = (value: T | undefined) => {
      if (value === undefined) return end();
      queue.push(value);
      if (queue.length > QUEUE_LIMIT) queue.shift();
      wake?.();
    };
    this.#subscribers.add(deliver);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end, { once: true });
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      async next() {
        while (queue.length === 0 && !ended) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const value = queue.shift();
        return value === undefined ? { done: true, value: undefined } : { done: false, value };
      },
      async return() {
        queue.length = 0;
        end();
        return { done: true, value: undefined };
      },
    };
  }
}
