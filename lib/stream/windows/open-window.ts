import type { States } from '../columns';
import type { KeyState } from '../key-table';

/** A window that has not been closed yet. */
export interface OpenWindow {
  readonly owner: KeyState;
  start: number;
  end: number;
  states: States;
  /** Events held. */
  total: number;
  /** Events since the previous pane. */
  pending: number;
  /** Panes so far. */
  panes: number;
  /** Events kept one by one. */
  items: number;
  /** Has fired on time, or came too late to. */
  passed: boolean;
  dead: boolean;
  /** The timer that counts; older ones are void. */
  timer: Timer | undefined;
  closing: boolean;
}

/** When a window fires. Its end may have grown since: then it is armed again. */
export interface Timer {
  readonly start: number;
  readonly end: number;
  readonly window: OpenWindow;
}

export function newWindow(owner: KeyState, start: number, end: number): OpenWindow {
  return {
    owner,
    start,
    end,
    states: undefined,
    total: 0,
    pending: 0,
    panes: 0,
    items: 0,
    passed: false,
    dead: false,
    timer: undefined,
    closing: false,
  };
}

/** The order of panes that one step fires: by end, start, key (code units). */
export function firesBefore(
  a: { end: number; start: number; window: OpenWindow },
  b: { end: number; start: number; window: OpenWindow },
): boolean {
  if (a.end !== b.end) return a.end < b.end;
  if (a.start !== b.start) return a.start < b.start;
  return a.window.owner.key < b.window.owner.key;
}

/** A window as a JSON value. */
export type WindowRecord = [
  start: number,
  end: number,
  total: number,
  pending: number,
  panes: number,
  items: number,
  passed: boolean,
  states: unknown[] | null,
];
