import type { ChangeableMachine } from '../machine';

/** What a line of the doctor is about. */
export type CheckArea = 'machine' | 'kernel' | 'programs' | 'storage' | 'tuning';

/** One line of `garua doctor`. */
export interface CheckResult {
  id: string;
  /** What a missing thing costs: `fail`: containers do not run; `warn`: something works less well, or not. */
  status: 'ok' | 'warn' | 'fail';
  area: CheckArea;
  /** What was found. */
  detail: string;
  /** Why it matters. */
  why: string;
  /** What to do about it; absent when there is nothing to do. */
  fix?: string;
}

/** The document of `garua doctor --json`. */
export interface Examination {
  checks: CheckResult[];
}

/** Something that `--fix` has changed. */
export interface Fixed {
  /** Of the check that asked for it. */
  id: string;
  what: string;
  /** How to undo it by hand; `garua doctor --undo` does it too. */
  undo: string;
}

/** A file that is to be another, or a value of the running kernel. */
export interface Edit {
  path: string;
  content: string;
  /** `kernel`: a file below /proc/sys, which is written, not replaced, and gone after a reboot. */
  kind: 'file' | 'kernel';
}

/** A safe change that `--fix` makes. It is written down before it is made. */
export interface Mend {
  what: string;
  undo: string;
  edits: Edit[];
  /** Programs run after the edits, and those that take them back. */
  commands?: { run: string[]; undo: string[] }[];
}

/** A result, and how to mend it where that is safe on any machine. */
export interface Finding extends CheckResult {
  mend?: Mend;
}

export interface CheckContext {
  /** Checks change nothing on it but what they keep of long try-outs. */
  machine: ChangeableMachine;
  dataDirectory: string;
  signal?: AbortSignal | undefined;
  /** Whether what takes seconds and starts processes may be tried; else the last result counts. */
  thorough: boolean;
}

/** Looks at one thing; undefined where the question does not arise on this machine. */
export interface Check {
  id: string;
  area: CheckArea;
  why: string;
  look(context: CheckContext): Promise<Outcome | undefined>;
}

export type Outcome = Pick<Finding, 'status' | 'detail' | 'fix' | 'mend'>;

export function ok(detail: string): Outcome {
  return { status: 'ok', detail };
}

export function warn(detail: string, fix: string, mend?: Mend): Outcome {
  return { status: 'warn', detail, fix, ...(mend ? { mend } : {}) };
}

export function fail(detail: string, fix: string): Outcome {
  return { status: 'fail', detail, fix };
}
