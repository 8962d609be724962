/** What must be undone at the end, whatever ends the run. The last thing made is undone first. */
export class Cleanup {
  readonly #tasks: { what: string; undo: () => Promise<void> | void }[] = [];
  #running: Promise<void> | undefined;

  defer(what: string, undo: () => Promise<void> | void): void {
    this.#tasks.push({ what, undo });
  }

  /** Undoes everything once; a task that fails is reported and does not stop the others. */
  run(): Promise<void> {
    this.#running ??= this.#undoAll();
    return this.#running;
  }

  /** The run is over, or was interrupted. */
  get started(): boolean {
    return this.#running !== undefined;
  }

  /** Cleans up, too, when the run is interrupted. */
  onSignals(): void {
    for (const [signal, status] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      process.once(signal, () => {
        process.stderr.write(`\n${signal}: cleaning up\n`);
        void this.run().finally(() => process.exit(status));
      });
    }
  }

  async #undoAll(): Promise<void> {
    for (let task = this.#tasks.pop(); task; task = this.#tasks.pop()) {
      try {
        await task.undo();
      } catch (error) {
        process.stderr.write(`clean-up of ${task.what} failed: ${error}\n`);
      }
    }
  }
}
