/** One line of `garua doctor`. */
export interface CheckResult {
  id: string;
  status: 'ok' | 'warn' | 'fail';
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

/** What a check may look at: this machine, or a fixture of another. */
export interface Machine {
  architecture: string;
  userId: number;
  /** The content of a file, or undefined when it cannot be read. */
  read(path: string): string | undefined;
  /** Whether there is a file or folder. */
  exists(path: string): boolean;
  /** The full path of a program, and whether its folder is on PATH; undefined when it is nowhere. */
  which(program: string): { path: string; onPath: boolean } | undefined;
  /** Free bytes of the file system that holds a path. */
  freeSpace(path: string): number;
}

/** Looks at one thing. */
export type Check = (machine: Machine) => CheckResult;
