import { settle } from './columns';
import type { DurableState } from './durable';
import type { WindowEngine } from './engine';
import { type Clock, isLate, type Output, type Pane, type StreamEvent } from './stream';

/** What a runner is told; each is served after the ones before it. */
export type Task =
  | { kind: 'event'; event: StreamEvent; done?: Done | undefined }
  | { kind: 'watermark'; value: number; done?: Done | undefined }
  | { kind: 'flush' | 'reset'; key?: string | undefined; done?: Done | undefined }
  /** Work on the engine itself, which rests until it is done. */
  | { kind: 'exclusive'; work: () => Promise<void>; done?: Done | undefined };

export type Done = () => void;

export interface RunnerOptions {
  clock: Clock;
  onOutput: (output: Output) => void;
  /** An expression that failed, or a file that could not be written. */
  onError: (error: unknown) => void;
  durable?: DurableState | undefined;
  /** Milliseconds between flushes of durable state. Default 1,000. */
  flushInterval?: number;
}

/** Milliseconds of work before the event loop gets its turn. */
const SLICE = 8;
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Drives an engine in real time: it moves the clock, wakes it when a window is due, hands out its outputs in
 * order, and pauses when there are many, so that the process stays responsive.
 */
export class WindowRunner {
  readonly #engine: WindowEngine;
  readonly #options: RunnerOptions;
  /** Tasks that found it working, and when they came. */
  #tasks: { task: Task; at: number }[] = [];
  #nextTask = 0;
  /** The one that found it at rest: it never waits in the list. */
  #direct: Task | undefined;
  #directAt = 0;
  #current: Done | undefined;
  #exclusive: (() => Promise<void>) | undefined;
  #working = false;
  #closed = false;
  #wake: NodeJS.Timeout | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushDue = false;
  #atRest: (() => void)[] = [];

  constructor(engine: WindowEngine, options: RunnerOptions) {
    this.#engine = engine;
    this.#options = options;
    if (options.durable) {
      this.#flushTimer = setInterval(() => {
        this.#flushDue = true;
        this.#start();
      }, options.flushInterval ?? 1_000);
    }
    this.#start();
  }

  /** Tasks that wait, because outputs of earlier ones are still going out. */
  get backlog(): number {
    return this.#tasks.length - this.#nextTask + (this.#direct ? 1 : 0);
  }

  push(task: Task): void {
    // In processing time an event has the time of its arrival, however long it waits here.
    const at = this.#options.clock.now();
    if (this.#working) {
      this.#tasks.push({ task, at });
      return;
    }
    this.#working = true;
    this.#direct = task;
    this.#directAt = at;
    this.#work(0);
  }

  /** Serves what was pushed, then writes durable state. Nothing may be pushed any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#flushTimer);
    if (this.#working) await new Promise<void>((resolve) => this.#atRest.push(resolve));
    clearTimeout(this.#wake);
    await this.#options.durable?.close();
  }

  #start(): void {
    if (this.#working) return;
    this.#working = true;
    const now = this.#options.clock.now();
    if (now > this.#engine.clock) this.#engine.advanceClock(now);
    this.#work(0);
  }

  /**
   * Works until nothing is left, or the slice is used up, or an answer is awaited.
   *
   * @param until when the slice ends; 0 is looked up once there is more than a little to do
   */
  #work(until: number): void {
    let sinceLook = 0;
    for (;;) {
      const output = this.#engine.next();
      if (output) {
        if (this.#engine.needsSettling && !isLate(output)) {
          this.#settle(output);
          return;
        }
        this.#give(output);
      } else if (!this.#takeTask()) {
        this.#rest();
        return;
      } else if (this.#exclusive) {
        const work = this.#exclusive;
        this.#exclusive = undefined;
        work()
          .catch((error) => this.#options.onError(error))
          .then(() => this.#work(0));
        return;
      }
      sinceLook += 1;
      if (sinceLook < 16) continue;
      sinceLook = 0;
      const now = performance.now();
      if (until === 0) until = now + SLICE;
      if (now < until) continue;
      setImmediate(() => this.#work(0));
      return;
    }
  }

  /** @returns whether there was anything to do */
  #takeTask(): boolean {
    this.#current?.();
    this.#current = undefined;
    if (this.#flushDue) this.#flush();
    const waiting = this.#direct ? undefined : this.#tasks[this.#nextTask];
    const task = this.#direct ?? waiting?.task;
    if (!task) return false;
    const at = waiting ? waiting.at : this.#directAt;
    if (at > this.#engine.clock) {
      // What that fires goes out before the task is served.
      this.#engine.advanceClock(at);
      return true;
    }
    if (waiting) this.#nextTask += 1;
    else this.#direct = undefined;
    if (this.#nextTask > 0 && this.#nextTask === this.#tasks.length) {
      this.#tasks = [];
      this.#nextTask = 0;
    }
    this.#current = task.done;
    if (task.kind === 'event') this.#engine.add(task.event);
    else if (task.kind === 'watermark') this.#engine.advanceWatermark(task.value);
    else if (task.kind === 'flush') this.#engine.flush(task.key);
    else if (task.kind === 'exclusive') this.#exclusive = task.work;
    else this.#engine.reset(task.key);
    return true;
  }

  #give(output: Output): void {
    try {
      this.#options.onOutput(output);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #settle(pane: Pane): void {
    settle(pane)
      .catch((error) => this.#options.onError(error))
      .then(() => {
        this.#give(pane);
        this.#work(0);
      });
  }

  #flush(): void {
    this.#flushDue = false;
    this.#options.durable?.flush().catch((error) => this.#options.onError(error));
  }

  #rest(): void {
    this.#working = false;
    if (this.#atRest.length > 0) for (const resolve of this.#atRest.splice(0)) resolve();
    if (!this.#closed) this.#armWake();
  }

  #armWake(): void {
    const at = this.#engine.wakeAt;
    if (at >= this.#wakeAt || at === Number.POSITIVE_INFINITY) return;
    clearTimeout(this.#wake);
    this.#wakeAt = at;
    const delay = Math.min(LONGEST_TIMER, Math.max(1, at - this.#options.clock.now()));
    this.#wake = setTimeout(() => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#start();
    }, delay);
  }
}
