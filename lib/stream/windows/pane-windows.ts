import type { Columns } from '../columns';
import type { ListReader, ListWriter } from '../events';
import { Heap } from '../heap';
import { type ChangeLog, type KeyState, KeyTable } from '../key-table';
import type { Fill, Limits, Pane, PaneKind, WindowSpec } from '../stream';
import { firesBefore, newWindow, type OpenWindow, type Timer, type WindowRecord } from './open-window';
import type { StrategyContext, Verdict, WindowStrategy } from './strategy';

/** Closed windows forgotten per call, so that no call takes long. */
const CLOSINGS_PER_CALL = 64;

interface ReadyPane {
  pane: Pane;
  window: OpenWindow;
  start: number;
  end: number;
}

/**
 * What tumbling, hopping and session windows share: triggers, lateness, accumulation. Subclasses say which
 * windows an event belongs to.
 */
export abstract class PaneWindows<K extends KeyState> implements WindowStrategy {
  protected readonly spec: WindowSpec;
  protected readonly columns: Columns;
  protected readonly limits: Limits;
  protected readonly table = new KeyTable<K>();
  protected watermark = Number.NEGATIVE_INFINITY;
  readonly #accumulating: boolean;
  readonly #timers = new Heap<Timer>(firesBefore);
  readonly #closings = new Heap<{ at: number; window: OpenWindow }>((a, b) => a.at < b.at);
  /** Windows with new events, when early panes are due by the clock. */
  readonly #dirty: Set<OpenWindow> | undefined;
  /** Windows that owe a pane before the watermark has passed them. */
  readonly #owed = new Heap<Timer & { kind: PaneKind; last: boolean }>(firesBefore);
  /** Panes of the current step, already in order, and how many of them are gone. */
  #ready: ReadyPane[] = [];
  #taken = 0;
  #windows = 0;
  #items = 0;

  constructor({ spec, columns, limits }: StrategyContext) {
    this.spec = spec;
    this.columns = columns;
    this.limits = limits;
    this.#accumulating = spec.accumulation === 'accumulating';
    this.#dirty = spec.early.every === undefined ? undefined : new Set();
  }

  abstract add(key: string, value: unknown, time: number, order: number, clock: number): Verdict;
  protected abstract newKey(key: string, clock: number): K;
  protected abstract windowsOf(state: K): Iterable<OpenWindow>;
  protected abstract put(state: K, window: OpenWindow): void;
  protected abstract remove(state: K, window: OpenWindow): void;
  /** Called after a window has fired on time. */
  protected onPassed(_window: OpenWindow): void {}
  /** What the record of a key holds beside its windows. */
  protected saveExtra(_state: K): unknown {
    return null;
  }
  protected loadExtra(_state: K, _extra: unknown): void {}
  /** Whether an empty window owes a pane. */
  protected firesEmpty(_window: OpenWindow): boolean {
    return false;
  }

  get fill(): Fill {
    return { keys: this.table.size, windows: this.#windows, items: this.#items };
  }

  advance(watermark: number): void {
    if (watermark > this.watermark) this.watermark = watermark;
  }

  fireEarly(): void {
    for (const window of this.#dirty ?? []) {
      if (window.end > this.watermark) this.#owe(window, 'early', false);
    }
    this.#dirty?.clear();
  }

  get nextDue(): number {
    return this.#timers.peek()?.end ?? Number.POSITIVE_INFINITY;
  }

  get owesEarly(): boolean {
    return this.#dirty !== undefined && this.#dirty.size > 0;
  }

  next(): Pane | undefined {
    for (;;) {
      const ready = this.#ready[this.#taken];
      const owed = this.#owed.peek();
      const due = this.#due();
      if (ready && !(owed && firesBefore(owed, ready)) && !(due && firesBefore(due, ready))) {
        this.#take();
        return ready.pane;
      }
      if (owed && !(due && firesBefore(due, owed))) {
        this.#owed.pop();
        const pane = this.#fire(owed.window, owed.kind);
        if (owed.last) this.drop(owed.window);
        return pane;
      }
      if (!due) break;
      this.#timers.pop();
      const pane = this.#pass(due.window);
      if (!pane) continue;
      // Within the step, too: a jump of time over millions of empty windows must not keep them all.
      this.#close(2);
      return pane;
    }
    this.#close(CLOSINGS_PER_CALL);
    return undefined;
  }

  flush(key?: string): void {
    for (const state of this.#statesOf(key)) {
      for (const window of [...this.windowsOf(state)]) {
        window.timer = undefined;
        if (window.total === 0 || window.passed) this.drop(window);
        else this.#owe(window, 'on-time', true);
      }
    }
  }

  reset(key?: string): void {
    for (const state of this.#statesOf(key)) {
      for (const window of [...this.windowsOf(state)]) this.drop(window, true);
      if (this.table.get(state.key)) this.table.delete(state);
    }
  }

  expire(before: number): void {
    for (const state of this.table.values()) {
      if (state.touchedAt > before) continue;
      const windows = [...this.windowsOf(state)];
      if (windows.some((window) => window.total > 0)) continue;
      for (const window of windows) this.drop(window, true);
      if (this.table.get(state.key)) this.table.delete(state);
    }
  }

  keys(): IterableIterator<string> {
    return this.table.names();
  }

  watch(log: ChangeLog): void {
    this.table.watch(log);
  }

  save(key: string, write: ListWriter): unknown {
    const state = this.table.get(key);
    if (!state) return undefined;
    const windows: WindowRecord[] = [];
    for (const w of this.windowsOf(state)) {
      windows.push([
        w.start,
        w.end,
        w.total,
        w.pending,
        w.panes,
        w.items,
        w.passed,
        this.columns.save(w.states, write),
      ]);
    }
    return [state.touchedAt, state.histories ?? null, windows, this.saveExtra(state)];
  }

  load(key: string, record: unknown, read: ListReader): void {
    const [touchedAt, histories, windows, extra] = record as [
      number,
      unknown[] | null,
      WindowRecord[],
      unknown,
    ];
    const state = this.newKey(key, touchedAt);
    state.histories = histories ?? undefined;
    this.table.add(state);
    this.loadExtra(state, extra);
    for (const [start, end, total, pending, panes, items, passed, states] of windows) {
      const window = newWindow(state, start, end);
      Object.assign(window, { total, pending, panes, items, passed });
      window.states = this.columns.load(states, read);
      this.put(state, window);
      this.#windows += 1;
      this.#items += items;
      if (passed) this.#armClosing(window);
      else this.arm(window);
      if (pending > 0) this.#dirty?.add(window);
    }
  }

  /** The key's state, made when missing; undefined when there may be no more keys. */
  protected keyFor(key: string, clock: number): K | undefined {
    const known = this.table.get(key);
    if (known) {
      this.table.change(known);
      known.touchedAt = clock;
      return known;
    }
    if (this.table.size >= (this.limits.keys ?? Number.POSITIVE_INFINITY)) return undefined;
    const state = this.newKey(key, clock);
    this.table.add(state);
    return state;
  }

  /** Whether so many windows may be opened, and an event be kept in so many, within the limits. */
  protected hasRoom(newWindows: number, memberships: number): boolean {
    const { windows = Number.POSITIVE_INFINITY, items = Number.POSITIVE_INFINITY } = this.limits;
    const kept = memberships * this.columns.keeping;
    return (
      (newWindows === 0 || this.#windows + newWindows <= windows) &&
      (kept === 0 || this.#items + kept <= items)
    );
  }

  protected isClosed(end: number): boolean {
    return end + this.spec.allowedLateness <= this.watermark;
  }

  protected open(state: K, start: number, end: number): OpenWindow {
    const window = newWindow(state, start, end);
    this.put(state, window);
    this.#windows += 1;
    if (end > this.watermark) this.arm(window);
    else this.markPassed(window);
    return window;
  }

  /** Sets the window's timer; an older one is void from now on. */
  protected arm(window: OpenWindow): void {
    const timer = { start: window.start, end: window.end, window };
    window.timer = timer;
    this.#timers.push(timer);
  }

  protected markPassed(window: OpenWindow): void {
    window.passed = true;
    this.#armClosing(window);
  }

  /** Adds an event to a window and fires what it triggers at once. */
  protected addTo(window: OpenWindow, value: unknown, time: number, order: number): void {
    window.states = this.columns.add(window.states, value, time, order);
    window.total += 1;
    window.pending += 1;
    window.items += this.columns.keeping;
    this.#items += this.columns.keeping;
    if (window.end <= this.watermark) {
      this.ready(window, 'late');
      return;
    }
    if (window.pending >= (this.spec.early.events ?? Number.POSITIVE_INFINITY)) this.ready(window, 'early');
    else this.#dirty?.add(window);
  }

  /** Makes a pane that the current step owes. Within a step, calls come in the order of panes. */
  protected ready(window: OpenWindow, kind: PaneKind): void {
    const pane = this.#fire(window, kind);
    this.#ready.push({ pane, window, start: window.start, end: window.end });
  }

  /** Takes a window away: closed, or merged into another. */
  protected drop(window: OpenWindow, keepKey = false): void {
    if (window.dead) return;
    window.dead = true;
    window.timer = undefined;
    this.#windows -= 1;
    this.#items -= window.items;
    this.#dirty?.delete(window);
    const owner = window.owner as K;
    this.table.change(owner);
    this.remove(owner, window);
    if (!keepKey && !this.columns.judging && this.isBare(owner)) this.table.delete(owner);
  }

  protected isBare(state: K): boolean {
    for (const _ of this.windowsOf(state)) return false;
    return true;
  }

  /** Items that moved into another window are not given back by `drop`. */
  protected moveItems(from: OpenWindow, to: OpenWindow): void {
    to.items += from.items;
    from.items = 0;
  }

  #owe(window: OpenWindow, kind: PaneKind, last: boolean): void {
    this.#owed.push({ start: window.start, end: window.end, window, kind, last });
  }

  #fire(window: OpenWindow, kind: PaneKind): Pane {
    const owner = window.owner as K;
    this.table.change(owner);
    const answers = this.columns.lower(window.states);
    const learn = kind === 'on-time' || (kind === 'late' && window.panes === 0);
    owner.histories = this.columns.judge(answers, owner.histories, learn && window.total > 0);
    const pane: Pane = {
      key: owner.key,
      start: window.start,
      end: window.end,
      pane: kind,
      index: window.panes,
      count: this.#accumulating ? window.total : window.pending,
      result: this.columns.result(answers),
    };
    window.panes += 1;
    window.pending = 0;
    this.#dirty?.delete(window);
    if (!this.#accumulating) {
      window.states = undefined;
      this.#items -= window.items;
      window.items = 0;
    }
    return pane;
  }

  /** The timer of the next window whose end the watermark has passed. */
  #due(): Timer | undefined {
    for (let timer = this.#timers.peek(); timer; timer = this.#timers.peek()) {
      const { window } = timer;
      if (window.timer === timer && window.end === timer.end) {
        return timer.end <= this.watermark ? timer : undefined;
      }
      if (window.timer === timer && timer.end > this.watermark) return undefined;
      this.#timers.pop();
      if (window.timer === timer) this.arm(window);
    }
    return undefined;
  }

  #pass(window: OpenWindow): Pane | undefined {
    window.timer = undefined;
    this.table.change(window.owner as K);
    const pane = window.total > 0 || this.firesEmpty(window) ? this.#fire(window, 'on-time') : undefined;
    window.passed = true;
    this.onPassed(window);
    if (this.isClosed(window.end)) this.drop(window);
    else this.#armClosing(window);
    return pane;
  }

  #armClosing(window: OpenWindow): void {
    if (window.closing) return;
    window.closing = true;
    this.#closings.push({ at: window.end + this.spec.allowedLateness, window });
  }

  #close(atMost: number): void {
    for (let done = 0; done < atMost; done += 1) {
      const top = this.#closings.peek();
      if (!top || top.at > this.watermark) return;
      this.#closings.pop();
      const { window } = top;
      window.closing = false;
      if (window.dead || !window.passed) continue;
      if (this.isClosed(window.end)) this.drop(window);
      else this.#armClosing(window);
    }
  }

  #take(): void {
    this.#taken += 1;
    if (this.#taken < this.#ready.length) return;
    this.#ready = [];
    this.#taken = 0;
  }

  *#statesOf(key: string | undefined): Iterable<K> {
    if (key === undefined) yield* [...this.table.values()];
    else if (this.table.get(key)) yield this.table.get(key)!;
  }
}
