/** Connections count as recent for one to two of these, in milliseconds. */
const SPAN = 30_000;

interface Counts {
  open: number;
  current: number;
  previous: number;
}

/** How many connections this host's instances are given through service ports, by container. */
export class Traffic {
  readonly #counts = new Map<string, Counts>();
  readonly #waiting = new Set<() => void>();
  readonly #turning = setInterval(() => this.#turn(), SPAN).unref();

  /** One more; call the answer once when it has ended. */
  begin(container: string): () => void {
    const counts = this.#counts.get(container) ?? { open: 0, current: 0, previous: 0 };
    this.#counts.set(container, counts);
    counts.open += 1;
    counts.current += 1;
    return () => {
      counts.open -= 1;
      if (counts.open === 0) for (const look of this.#waiting) look();
    };
  }

  /** Those that are open, and those of the last half minute or so. */
  of(container: string): { open: number; recent: number } {
    const { open, current, previous } = this.#counts.get(container) ?? { open: 0, current: 0, previous: 0 };
    return { open, recent: current + previous };
  }

  /** Resolves once none is open, or the signal has fired. */
  async idle(container: string, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!signal.aborted && this.of(container).open > 0) return;
        this.#waiting.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  close(): void {
    clearInterval(this.#turning);
  }

  #turn(): void {
    for (const [container, counts] of this.#counts) {
      if (counts.open + counts.current === 0) this.#counts.delete(container);
      else Object.assign(counts, { previous: counts.current, current: 0 });
    }
  }
}
