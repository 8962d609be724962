import { type FSWatcher, watch } from 'node:fs';
import type { ContainerFolder } from '../paths';
import { keepSegments } from './segments';

/** Where the kernel has no watch left to give. */
const LOOK_AGAIN_MS = 2_000;
/** Every so many looks also at those that are watched, for what a watch did not report. */
const WATCHED_EVERY = 15;

/**
 * Keeps the full segments of running containers' logs. It hears only of rotations: what conmon writes lies in a folder
 * below the one that is watched, so that a busy log costs nothing here.
 */
export class LogKeeper {
  readonly #watched = new Map<string, { folder: ContainerFolder; watcher: FSWatcher | undefined }>();
  readonly #timer = setInterval(() => this.#lookAtAll(), LOOK_AGAIN_MS).unref();
  #looks = 0;

  /** From now on until `leave`. Harmless when it is kept already. */
  keep(folder: ContainerFolder): void {
    if (this.#watched.has(folder.path)) return;
    this.#watched.set(folder.path, { folder, watcher: watchRotations(folder) });
    // It may have rotated before the watch.
    attempt(folder);
  }

  leave(folder: ContainerFolder): void {
    this.#watched.get(folder.path)?.watcher?.close();
    this.#watched.delete(folder.path);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { folder } of [...this.#watched.values()]) this.leave(folder);
  }

  #lookAtAll(): void {
    this.#looks += 1;
    const all = this.#looks % WATCHED_EVERY === 0;
    for (const { folder, watcher } of this.#watched.values()) if (all || !watcher) attempt(folder);
  }
}

function watchRotations(folder: ContainerFolder): FSWatcher | undefined {
  try {
    const watcher = watch(folder.logs, (_event, file) => {
      if (file === 'container.log') attempt(folder);
    });
    return watcher.on('error', () => {});
  } catch {
    return undefined;
  }
}

function attempt(folder: ContainerFolder): void {
  try {
    keepSegments(folder);
  } catch {
    // Removed in this moment, or a full disk: the next look tries again.
  }
}
