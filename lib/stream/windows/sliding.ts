import type { Item } from '../aggregates';
import type { Columns } from '../columns';
import { type ListReader, type ListWriter, WaitingEvents } from '../events';
import { Heap } from '../heap';
import { type ChangeLog, type KeyState, KeyTable } from '../key-table';
import { SlidingFold } from '../sliding-fold';
import type { Fill, Limits, Pane } from '../stream';
import type { StrategyContext, Verdict, WindowStrategy } from './strategy';

interface SlidingKey extends KeyState {
  fold: SlidingFold;
  /** Events whose pane is still to come. */
  waiting: WaitingEvents;
  /** The latest time in the fold. */
  lastTime: number;
  /** Waits in the queue of keys whose events may all have left their windows. */
  queued: boolean;
}

interface Group {
  time: number;
  owner: SlidingKey;
}

const EXPIRIES_PER_CALL = 64;

/** One pane per event, over the last `size` milliseconds up to it, once all events of its time are in. */
export function sliding(context: StrategyContext): WindowStrategy {
  return new SlidingWindows(context);
}

/**
 * Disorder is dealt with before the windows: events wait in a heap until the watermark has passed them
 * (O(log n)), so that the fold gets them in order and never needs an insert in its middle.
 */
class SlidingWindows implements WindowStrategy {
  readonly #size: number;
  readonly #columns: Columns;
  readonly #limits: Limits;
  readonly #table = new KeyTable<SlidingKey>();
  readonly #groups = new Heap<Group>(
    (a, b) => a.time < b.time || (a.time === b.time && a.owner.key < b.owner.key),
  );
  /** Keys by a time until which their events are in their windows for sure. */
  readonly #expiries = new Heap<Group>((a, b) => a.time < b.time);
  #panes: Pane[] = [];
  #taken = 0;
  #watermark = Number.NEGATIVE_INFINITY;
  #waiting = 0;
  #items = 0;

  constructor({ spec, columns, limits }: StrategyContext) {
    this.#size = spec.size;
    this.#columns = columns;
    this.#limits = limits;
  }

  get fill(): Fill {
    return { keys: this.#table.size, windows: this.#waiting, items: this.#items };
  }

  add(key: string, value: unknown, time: number, order: number, clock: number): Verdict {
    if (time < this.#watermark) return 'late';
    const { keys = Number.POSITIVE_INFINITY, items = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#items >= items) return 'limit';
    let owner = this.#table.get(key);
    if (owner) {
      this.#table.change(owner);
      owner.touchedAt = clock;
    } else {
      if (this.#table.size >= keys) return 'limit';
      owner = this.#newKey(key, clock);
      this.#table.add(owner);
    }
    this.#wait(owner, { time, order, value });
    return 'added';
  }

  advance(watermark: number): void {
    if (watermark > this.#watermark) this.#watermark = watermark;
  }

  fireEarly(): void {}

  get nextDue(): number {
    const group = this.#groups.peek();
    return group ? group.time + 1 : Number.POSITIVE_INFINITY;
  }

  readonly owesEarly = false;

  next(): Pane | undefined {
    while (this.#taken === this.#panes.length) {
      const group = this.#groups.peek();
      if (!group || group.time >= this.#watermark) {
        this.#forgetExpired();
        return undefined;
      }
      this.#groups.pop();
      this.#panes = this.#fire(group);
      this.#taken = 0;
    }
    const pane = this.#panes[this.#taken];
    this.#taken += 1;
    return pane;
  }

  flush(key?: string): void {
    const kept: Group[] = [];
    const panes: Pane[] = [];
    for (let group = this.#groups.pop(); group; group = this.#groups.pop()) {
      if (key === undefined || group.owner.key === key) panes.push(...this.#fire(group));
      else kept.push(group);
    }
    for (const group of kept) this.#groups.push(group);
    this.#panes = panes;
    this.#taken = 0;
    this.reset(key);
  }

  reset(key?: string): void {
    for (const owner of [...this.#table.values()]) {
      if (key === undefined || owner.key === key) this.#forget(owner);
    }
  }

  expire(before: number): void {
    for (const owner of this.#table.values()) {
      if (owner.touchedAt <= before && owner.waiting.length === 0) this.#forget(owner);
    }
  }

  keys(): IterableIterator<string> {
    return this.#table.names();
  }

  watch(log: ChangeLog): void {
    this.#table.watch(log);
  }

  save(key: string, write: ListWriter): unknown {
    const owner = this.#table.get(key);
    if (!owner) return undefined;
    return [owner.touchedAt, owner.histories ?? null, owner.fold.save(write), write(owner.waiting)];
  }

  load(key: string, record: unknown, read: ListReader): void {
    const [touchedAt, histories, fold, waiting] = record as [number, unknown[] | null, unknown, unknown];
    const owner = this.#newKey(key, touchedAt);
    owner.histories = histories ?? undefined;
    owner.fold.load(fold, read);
    this.#table.add(owner);
    this.#items += owner.fold.length;
    for (const item of owner.waiting.load(read(waiting))) this.#wait(owner, item);
    if (owner.fold.length > 0) this.#enqueue(owner, owner.fold.newestTime);
  }

  #newKey(key: string, clock: number): SlidingKey {
    return {
      key,
      touchedAt: clock,
      histories: undefined,
      epoch: -1,
      fold: new SlidingFold(this.#columns),
      waiting: new WaitingEvents(),
      lastTime: Number.NEGATIVE_INFINITY,
      queued: false,
    };
  }

  #wait(owner: SlidingKey, item: Item): void {
    this.#waiting += 1;
    this.#items += 1;
    if (owner.waiting.add(item)) this.#groups.push({ time: item.time, owner });
  }

  /** The panes of all events of a key at one time. */
  #fire({ time, owner }: Group): Pane[] {
    // The key was reset since.
    if (!owner.waiting.has(time)) return [];
    this.#table.change(owner);
    const items = owner.waiting.take(time);
    this.#waiting -= items.length;
    const { fold } = owner;
    const start = time - this.#size;
    this.#evict(fold, start);
    for (const { order, value } of items) fold.push(time, order, value);
    this.#enqueue(owner, time);
    return items.map(() => {
      const answers = fold.lower();
      owner.histories = this.#columns.judge(answers, owner.histories, true);
      const result = this.#columns.result(answers);
      return { key: owner.key, start, end: time, pane: 'on-time', index: 0, count: fold.length, result };
    });
  }

  #evict(fold: SlidingFold, upTo: number): void {
    while (fold.length > 0 && fold.oldestTime <= upTo) {
      fold.evict();
      this.#items -= 1;
    }
  }

  #enqueue(owner: SlidingKey, time: number): void {
    owner.lastTime = time;
    if (owner.queued) return;
    owner.queued = true;
    this.#expiries.push({ owner, time });
  }

  /** Keys whose events have all left their windows. Each call looks at a few. */
  #forgetExpired(): void {
    for (let looked = 0; looked < EXPIRIES_PER_CALL; looked += 1) {
      const head = this.#expiries.peek();
      if (!head || head.time + this.#size > this.#watermark) return;
      this.#expiries.pop();
      const { owner } = head;
      owner.queued = false;
      if (this.#table.get(owner.key) !== owner) continue;
      if (owner.lastTime > head.time) {
        this.#enqueue(owner, owner.lastTime);
        continue;
      }
      this.#table.change(owner);
      this.#evict(owner.fold, owner.lastTime);
      if (owner.waiting.length === 0 && !this.#columns.judging) this.#table.delete(owner);
    }
  }

  #forget(owner: SlidingKey): void {
    this.#waiting -= owner.waiting.length;
    this.#items -= owner.waiting.length + owner.fold.length;
    this.#table.delete(owner);
    owner.waiting.clear();
    owner.fold.clear();
  }
}
