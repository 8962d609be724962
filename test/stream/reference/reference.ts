/**
 * The window contract of `garua window`, written a second time in the plainest way: all events are kept for
 * ever, the clock walks millisecond by millisecond, and every answer is computed anew from the whole list.
 * Shares nothing with lib/stream but the shape of its inputs and outputs.
 */
import type { LateEvent, Output, Pane, PaneKind, StreamEvent, WindowSpecInput } from '../../../lib/stream';
import { aggregate } from './aggregates';

export interface Arrival {
  id: number;
  key: string;
  time: number;
  value: unknown;
}

interface FiredPane {
  key: string;
  start: number;
  members: Set<number>;
}

interface Window {
  key: string;
  start: number;
  end: number;
  events: Arrival[];
}

interface SourceState {
  maximum: number;
  seenAt: number;
}

export class ReferenceWindows {
  readonly #spec: WindowSpecInput;
  readonly #arrivals: Arrival[] = [];
  /** Which windows an event was added to: tumbling and hopping. */
  readonly #membership = new Map<number, number[]>();
  readonly #fired: FiredPane[] = [];
  readonly #sources = new Map<string, SourceState>();
  /** Events in sessions that were closed: they merge with nothing any more. */
  readonly #closed = new Set<number>();
  readonly #countPanes = new Map<string, number>();
  #clock = 0;
  #watermark = Number.NEGATIVE_INFINITY;
  #nextId = 0;
  #out: Pane[] = [];

  constructor(spec: WindowSpecInput) {
    this.#spec = spec;
    if (spec.time === 'processing') this.#watermark = 0;
  }

  event(event: StreamEvent): Output[] {
    this.#out = [];
    const spec = this.#spec;
    const source = event.source ?? '';
    const known = this.#sources.get(source);
    const inEventTime = spec.time !== 'processing';
    if (inEventTime && spec.maxAhead !== undefined && known && event.time! > known.maximum + spec.maxAhead) {
      return [{ late: event, reason: 'future' }];
    }
    const time = inEventTime ? event.time! : this.#clock;
    const arrival = { id: this.#nextId++, key: event.key ?? '', time, value: event.value };
    const late: LateEvent[] = this.#add(arrival) ? [] : [{ late: event, reason: 'late' }];
    if (inEventTime) {
      const maximum = Math.max(known?.maximum ?? Number.NEGATIVE_INFINITY, time);
      this.#sources.set(source, { maximum, seenAt: this.#clock });
      this.#moveWatermark(this.#sourcesWatermark());
    }
    return [...late, ...this.#sorted()];
  }

  watermark(value: number): Output[] {
    this.#out = [];
    if (this.#spec.time !== 'processing') this.#moveWatermark(value);
    return this.#sorted();
  }

  processingTime(value: number): Output[] {
    this.#out = [];
    while (this.#clock < value) {
      this.#clock += 1;
      this.#moveWatermark(this.#spec.time === 'processing' ? this.#clock : this.#sourcesWatermark());
      const every = this.#spec.early?.every;
      if (every === undefined || this.#clock % every !== 0) continue;
      for (const window of this.#windows()) {
        if (window.end > this.#watermark && this.#newEvents(window).length > 0) this.#fire(window, 'early');
      }
    }
    return this.#sorted();
  }

  end(): Output[] {
    this.#out = [];
    this.#moveWatermark(Number.POSITIVE_INFINITY);
    return this.#sorted();
  }

  #sourcesWatermark(): number {
    const { outOfOrderness, idleTimeout } = this.#spec;
    if (outOfOrderness === undefined) return Number.NEGATIVE_INFINITY;
    const active = [...this.#sources.values()].filter(
      ({ seenAt }) => idleTimeout === undefined || this.#clock - seenAt < idleTimeout,
    );
    if (active.length === 0) return Number.NEGATIVE_INFINITY;
    return Math.min(...active.map(({ maximum }) => maximum - outOfOrderness));
  }

  /** Whether the event found a window. */
  #add(arrival: Arrival): boolean {
    const { type } = this.#spec;
    if (type === 'count') return this.#addCounted(arrival);
    if (type === 'sliding') {
      if (arrival.time < this.#watermark) return false;
      this.#arrivals.push(arrival);
      return true;
    }
    if (type === 'session') return this.#addSession(arrival);
    return this.#addAligned(arrival);
  }

  #addCounted(arrival: Arrival): boolean {
    this.#arrivals.push(arrival);
    const { count = 1, step = count } = this.#spec;
    const same = this.#arrivals.filter(({ key }) => key === arrival.key);
    if (same.length % step !== 0) return true;
    const events = same.slice(-count);
    const index = this.#countPanes.get(arrival.key) ?? 0;
    this.#countPanes.set(arrival.key, index + 1);
    this.#emit(arrival.key, events[0]!.time, arrival.time, 'on-time', index, events);
    return true;
  }

  #addAligned(arrival: Arrival): boolean {
    const { size = 0, offset = 0, allowedLateness = 0 } = this.#spec;
    const slide = this.#spec.type === 'hopping' ? this.#spec.slide! : size;
    const starts: number[] = [];
    for (let start = Math.ceil(arrival.time) - size - 1; start <= arrival.time; start += 1) {
      const aligned = (((start - offset) % slide) + slide) % slide === 0;
      const holds = start <= arrival.time && arrival.time < start + size;
      if (aligned && holds && start + size + allowedLateness > this.#watermark) starts.push(start);
    }
    if (starts.length === 0) return false;
    this.#arrivals.push(arrival);
    this.#membership.set(arrival.id, starts);
    this.#trigger(arrival);
    return true;
  }

  #addSession(arrival: Arrival): boolean {
    const { allowedLateness = 0 } = this.#spec;
    this.#arrivals.push(arrival);
    const mine = this.#windows().find(({ events }) => events.includes(arrival))!;
    if (mine.end + allowedLateness <= this.#watermark) {
      this.#arrivals.pop();
      return false;
    }
    this.#trigger(arrival);
    return true;
  }

  /** What an event fires at once. */
  #trigger(arrival: Arrival): void {
    const enough = this.#spec.early?.events ?? Number.POSITIVE_INFINITY;
    for (const window of this.#windows().filter(({ events }) => events.includes(arrival))) {
      if (window.end <= this.#watermark) this.#fire(window, 'late');
      else if (this.#newEvents(window).length >= enough) this.#fire(window, 'early');
    }
  }

  #moveWatermark(value: number): void {
    const before = this.#watermark;
    if (value <= before) return;
    this.#watermark = value;
    const { type, allowedLateness = 0 } = this.#spec;
    if (type === 'count') return;
    if (type === 'sliding') {
      this.#fireSliding(before);
      return;
    }
    const windows = this.#windows();
    for (const window of [...windows, ...this.#emptyWindows(windows)]) {
      if (before < window.end && window.end <= value) this.#fire(window, 'on-time');
    }
    if (type !== 'session') return;
    for (const { end, events } of windows) {
      if (end + allowedLateness <= value) for (const { id } of events) this.#closed.add(id);
    }
  }

  #fireSliding(before: number): void {
    const size = this.#spec.size!;
    for (const arrival of this.#arrivals) {
      const { key, time } = arrival;
      if (time < before || time >= this.#watermark) continue;
      const events = this.#arrivals.filter((a) => a.key === key && a.time > time - size && a.time <= time);
      this.#emit(key, time - size, time, 'on-time', 0, events);
    }
  }

  /** All windows that hold events, from scratch. */
  #windows(): Window[] {
    return this.#spec.type === 'session' ? this.#sessions() : this.#alignedWindows();
  }

  #alignedWindows(): Window[] {
    const windows: Window[] = [];
    for (const arrival of this.#arrivals) {
      for (const start of this.#membership.get(arrival.id) ?? []) {
        const known = windows.find((window) => window.key === arrival.key && window.start === start);
        if (known) known.events.push(arrival);
        else windows.push({ key: arrival.key, start, end: start + this.#spec.size!, events: [arrival] });
      }
    }
    return windows;
  }

  #sessions(): Window[] {
    const gap = this.#spec.gap!;
    const open = this.#arrivals.filter(({ id }) => !this.#closed.has(id)).sort((a, b) => a.time - b.time);
    const sessions: Window[] = [];
    for (const arrival of open) {
      const { key, time } = arrival;
      const last = sessions.findLast((session) => session.key === key);
      if (last && time < last.end) {
        last.events.push(arrival);
        last.end = time + gap;
      } else {
        sessions.push({ key, start: time, end: time + gap, events: [arrival] });
      }
    }
    for (const { events } of sessions) events.sort((a, b) => a.id - b.id);
    return sessions;
  }

  #emptyWindows(windows: Window[]): Window[] {
    const { type, size = 0, emptyWindows } = this.#spec;
    if (!emptyWindows || type === 'session') return [];
    const slide = type === 'hopping' ? this.#spec.slide! : size;
    const empty: Window[] = [];
    for (const key of new Set(windows.map((window) => window.key))) {
      const starts = windows.filter((window) => window.key === key).map(({ start }) => start);
      const limit =
        this.#watermark === Number.POSITIVE_INFINITY ? Math.max(...starts) : this.#watermark - size;
      for (let start = Math.min(...starts); start <= limit; start += slide) {
        if (!starts.includes(start)) empty.push({ key, start, end: start + size, events: [] });
      }
    }
    return empty;
  }

  /** Panes of this window, or of the sessions that became it. */
  #panesOf({ key, start, events }: Window): FiredPane[] {
    if (this.#spec.type !== 'session') {
      return this.#fired.filter((pane) => pane.key === key && pane.start === start);
    }
    return this.#fired.filter((pane) => events.some(({ id }) => pane.members.has(id)));
  }

  #newEvents(window: Window): Arrival[] {
    const panes = this.#panesOf(window);
    return window.events.filter(({ id }) => !panes.some(({ members }) => members.has(id)));
  }

  #fire(window: Window, kind: PaneKind): void {
    const { key, start, end, events } = window;
    const index = this.#panesOf(window).length;
    const shown = this.#spec.accumulation === 'accumulating' ? events : this.#newEvents(window);
    this.#fired.push({ key, start, members: new Set(events.map(({ id }) => id)) });
    this.#emit(key, start, end, kind, index, shown);
  }

  #emit(key: string, start: number, end: number, pane: PaneKind, index: number, events: Arrival[]): void {
    const result: Record<string, unknown> = {};
    for (const spec of this.#spec.aggregates ?? []) result[spec.as ?? spec.op] = aggregate(spec, events);
    this.#out.push({ key, start, end, pane, index, count: events.length, result });
  }

  #sorted(): Pane[] {
    return this.#out.sort(
      (a, b) => a.end - b.end || a.start - b.start || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
    );
  }
}
