import type { Item } from '../aggregates';
import type { EventList, ListChanges, ReadList, SavedEvent, Span } from './event-list';

/** Longest piece, as in a queue. */
const LONGEST_SPAN = 1_024;

/** Events that the watermark has not passed yet, by their time. All of a time leave together, earliest first. */
export class WaitingEvents implements EventList {
  id: number | undefined;
  readonly byTime = true;
  readonly #groups = new Map<number, Item[]>();
  #length = 0;
  /** Events that came no later than this one are in the file, and how many went there. */
  #writtenOrder = -1;
  #writtenCount = 0;

  get length(): number {
    return this.#length;
  }

  /** @returns whether it is the first of its time */
  add(item: Item): boolean {
    this.#length += 1;
    const group = this.#groups.get(item.time);
    if (group) {
      group.push(item);
      return false;
    }
    this.#groups.set(item.time, [item]);
    return true;
  }

  has(time: number): boolean {
    return this.#groups.has(time);
  }

  /** Takes the events of a time out. */
  take(time: number): Item[] {
    const group = this.#groups.get(time) ?? [];
    this.#groups.delete(time);
    this.#length -= group.length;
    return group;
  }

  clear(): void {
    this.#groups.clear();
    this.#length = 0;
  }

  save(): SavedEvent[] {
    return this.#since(-1).map(({ time, order, value }) => [time, order, value ?? null]);
  }

  changes(whole: boolean): ListChanges {
    if (whole) this.#writtenOrder = -1;
    const fresh = this.#since(this.#writtenOrder);
    let floor = Number.POSITIVE_INFINITY;
    for (const time of this.#groups.keys()) if (time < floor) floor = time;
    const spans: Span[] = [];
    for (let at = 0; at < fresh.length; at += LONGEST_SPAN) {
      spans.push(this.#span(fresh.slice(at, at + LONGEST_SPAN)));
    }
    return { floor, spans };
  }

  /** Takes over a list that was read back; only right after construction. */
  load({ id, floor, spans }: ReadList): Item[] {
    this.id = id;
    const items: Item[] = [];
    for (const { first, stamps, values, from, to } of spans) {
      for (let slot = from; slot < to; slot += 1) {
        const item = { time: stamps[2 * slot]!, order: stamps[2 * slot + 1]!, value: values[slot] };
        if (item.time >= floor) items.push(item);
        if (id === undefined) continue;
        this.#writtenOrder = Math.max(this.#writtenOrder, item.order);
        this.#writtenCount = Math.max(this.#writtenCount, first + slot - from + 1);
      }
    }
    return items;
  }

  /** Those that came after another, as they came. */
  #since(order: number): Item[] {
    const items: Item[] = [];
    for (const group of this.#groups.values()) {
      for (let at = group.length - 1; at >= 0 && group[at]!.order > order; at -= 1) items.push(group[at]!);
    }
    return items.sort((a, b) => a.order - b.order);
  }

  #span(items: Item[]): Span {
    const stamps = new Float64Array(2 * items.length);
    let last = Number.NEGATIVE_INFINITY;
    items.forEach(({ time, order }, at) => {
      stamps[2 * at] = time;
      stamps[2 * at + 1] = order;
      last = Math.max(last, time);
    });
    const first = this.#writtenCount;
    this.#writtenCount += items.length;
    this.#writtenOrder = items[items.length - 1]!.order;
    return { first, last, stamps, values: items.map(({ value }) => value), from: 0, to: items.length };
  }
}
