import type { Digest, PulledLayer } from '../image';

/** One caller's part in a layer task. */
export interface LayerShare {
  /** False when the layer was already on its way for somebody else. */
  readonly first: boolean;
  /** Resolves once the layer needs the network no more; rejects as `result` does. */
  readonly downloaded: Promise<void>;
  /** Resolves once only the commit is left; rejects as `result` does. */
  readonly unpacked: Promise<void>;
  readonly result: Promise<PulledLayer>;
  /**
   * Gives the share up; the last one to do so stops the task. Resolves when the task has cleaned up, or at
   * once while others need it. Harmless after the end.
   */
  release(): Promise<void>;
}

/** What the one who does the work gets. */
export interface LayerWork {
  signal: AbortSignal;
  /** Compressed bytes that arrived; negative when they have to come again. */
  onBytes(count: number): void;
  onDownloaded(): void;
  onUnpacked(): void;
}

interface Task {
  users: number;
  received: number;
  listeners: Set<(bytes: number) => void>;
  controller: AbortController;
  downloaded: Promise<void>;
  unpacked: Promise<void>;
  result: Promise<PulledLayer>;
}

/** Joins pulls of the same layer: the work is done once, and goes on as long as anybody waits for it. */
export class LayerTasks {
  readonly #tasks = new Map<Digest, Task>();

  /** `work` is only called when the layer is not on its way yet. */
  join(
    chainId: Digest,
    onBytes: (count: number) => void,
    work: (work: LayerWork) => Promise<PulledLayer>,
  ): LayerShare {
    let task = this.#tasks.get(chainId);
    // A task that is being stopped cannot be joined any more; who comes now starts after it.
    const first = task === undefined || task.controller.signal.aborted;
    if (first) task = this.#start(chainId, work, task?.result);
    return this.#share(task!, onBytes, first);
  }

  #share(task: Task, onBytes: (count: number) => void, first: boolean): LayerShare {
    task.users += 1;
    task.listeners.add(onBytes);
    if (task.received > 0) onBytes(task.received);
    let released = false;
    const release = async () => {
      if (released) return;
      released = true;
      task.listeners.delete(onBytes);
      task.users -= 1;
      if (task.users > 0) return;
      task.controller.abort();
      await task.result.catch(() => {});
    };
    const { downloaded, unpacked, result } = task;
    return { first, downloaded, unpacked, result, release };
  }

  #start(
    chainId: Digest,
    work: (work: LayerWork) => Promise<PulledLayer>,
    previous: Promise<unknown> | undefined,
  ): Task {
    const controller = new AbortController();
    const downloaded = Promise.withResolvers<void>();
    const unpacked = Promise.withResolvers<void>();
    const task: Task = {
      users: 0,
      received: 0,
      listeners: new Set(),
      controller,
      downloaded: downloaded.promise,
      unpacked: unpacked.promise,
      result: Promise.resolve(previous)
        .catch(() => {})
        .then(() =>
          work({
            signal: controller.signal,
            onBytes: (count) => {
              task.received += count;
              for (const listener of task.listeners) listener(count);
            },
            onDownloaded: () => downloaded.resolve(),
            onUnpacked: () => unpacked.resolve(),
          }),
        )
        .finally(() => {
          if (this.#tasks.get(chainId) === task) this.#tasks.delete(chainId);
        }),
    };
    task.result.catch((error) => {
      downloaded.reject(error);
      unpacked.reject(error);
    });
    // Whoever shares the task looks at the result; if all have gone, nobody needs to.
    for (const promise of [downloaded.promise, unpacked.promise]) promise.catch(() => {});
    this.#tasks.set(chainId, task);
    return task;
  }
}
