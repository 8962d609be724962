import type { KeyState } from '../key-table';
import type { OpenWindow } from './open-window';
import { PaneWindows } from './pane-windows';
import type { StrategyContext, Verdict, WindowStrategy } from './strategy';

interface SessionKey extends KeyState {
  /** Sessions that can still grow, by start; they do not overlap. */
  sessions: OpenWindow[];
}

/** Windows `[first event, last event + gap)`: a pause of `gap` ends one, an event between two merges them. */
export function session(context: StrategyContext): WindowStrategy {
  return new SessionWindows(context);
}

class SessionWindows extends PaneWindows<SessionKey> {
  add(key: string, value: unknown, time: number, order: number, clock: number): Verdict {
    const end = time + this.spec.gap;
    const known = this.table.get(key);
    const touched = known ? this.#overlapping(known, time, end) : [];
    const newEnd = touched.reduce((latest, window) => Math.max(latest, window.end), end);
    if (this.isClosed(newEnd)) return 'late';
    if (!this.hasRoom(touched.length === 0 ? 1 : 0, 1)) return 'limit';
    const state = this.keyFor(key, clock);
    if (!state) return 'limit';
    const window = touched.length === 0 ? this.open(state, time, end) : this.#merge(touched, time, end);
    this.addTo(window, value, time, order);
    return 'added';
  }

  /** The sessions that overlap `[start, end)` and are not closed, by start. */
  #overlapping({ sessions }: SessionKey, start: number, end: number): OpenWindow[] {
    const found: OpenWindow[] = [];
    for (let at = upTo(sessions, end) - 1; at >= 0; at -= 1) {
      const window = sessions[at]!;
      // Closed ones that wait to be forgotten may overlap new ones, so they do not end the search.
      if (this.isClosed(window.end)) continue;
      if (window.end <= start) break;
      found.push(window);
    }
    return found.reverse();
  }

  /** Makes one session of several and the span of a new event. */
  #merge(parts: OpenWindow[], start: number, end: number): OpenWindow {
    const window = parts[0]!;
    const [oldStart, oldEnd] = [window.start, window.end];
    for (const part of parts.slice(1)) {
      window.states = this.columns.combine(window.states, part.states);
      window.total += part.total;
      window.pending += part.pending;
      window.panes += part.panes;
      this.moveItems(part, window);
      window.end = Math.max(window.end, part.end);
      this.drop(part, true);
    }
    window.end = Math.max(window.end, end);
    if (start < window.start) this.#moveStart(window, start);
    if (window.end > this.watermark) {
      const grown = window.end > oldEnd && window.passed;
      if (grown) window.passed = false;
      // A timer with a smaller end finds the new one by itself; an earlier start it would miss.
      if (grown || window.start < oldStart || !window.timer) this.arm(window);
    } else if (!window.passed) {
      this.markPassed(window);
    }
    return window;
  }

  #moveStart(window: OpenWindow, start: number): void {
    const { sessions } = window.owner as SessionKey;
    sessions.splice(sessions.indexOf(window), 1);
    window.start = start;
    sessions.splice(upTo(sessions, start), 0, window);
  }

  protected newKey(key: string, clock: number): SessionKey {
    return { key, touchedAt: clock, histories: undefined, epoch: -1, sessions: [] };
  }

  protected windowsOf(state: SessionKey): Iterable<OpenWindow> {
    return state.sessions;
  }

  protected put({ sessions }: SessionKey, window: OpenWindow): void {
    sessions.splice(upTo(sessions, window.start), 0, window);
  }

  protected remove({ sessions }: SessionKey, window: OpenWindow): void {
    const at = sessions.indexOf(window);
    if (at >= 0) sessions.splice(at, 1);
  }
}

/** How many sessions start before a time. */
function upTo(sessions: OpenWindow[], time: number): number {
  let [low, high] = [0, sessions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sessions[middle]!.start < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
