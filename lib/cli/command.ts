import type { ParseArgsOptionsConfig } from 'node:util';
import type { LongCall } from '../base';
import { openHost } from '../control';
import type { Host } from '../host';
import { formatReference, parseReference } from '../image';

/** The command line is wrong: exit status 2. */
export class UsageError extends Error {}

/** What every command accepts beside its own options. */
export const COMMON_OPTIONS = {
  data: { type: 'string' },
  socket: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;

/** Option values as node:util's parseArgs gives them. */
export type OptionValues = Record<string, string | boolean | (string | boolean)[] | undefined>;

export interface Invocation {
  options: OptionValues;
  positionals: string[];
  /** What stood after `--`. */
  rest: string[];
  /** Fires at SIGINT and SIGTERM. */
  signal: AbortSignal;
}

/** One `garua` command. */
export interface Command {
  name: string;
  /** What stands after the name in the usage line. */
  usage: string;
  summary: string;
  options: ParseArgsOptionsConfig;
  /** How many words the command takes; more or fewer is wrong usage. */
  positionals: { minimum: number; maximum: number };
  /** Whether words after `--` mean something. */
  takesRest?: boolean;
  run(invocation: Invocation): Promise<void>;
}

/** Opens the host that `--data` and `--socket` name, and closes it whatever happens. `supervise`: see `OpenHostOptions`. */
export async function withHost<T>(
  { options }: Invocation,
  use: (host: Host) => Promise<T>,
  supervise = false,
): Promise<T> {
  const [dataDirectory, socket] = [text(options, 'data'), text(options, 'socket')];
  const host = await openHost({ dataDirectory, socket, supervise });
  try {
    return await use(host);
  } finally {
    await host.close();
  }
}

/**
 * The full form of an image reference. A folder is relative to this process, not to the one that owns the
 * data directory.
 *
 * @throws {ImageReferenceError}
 */
export function fullReference(ref: string): string {
  return formatReference(parseReference(ref));
}

/** A string option, or undefined when it is absent. */
export function text(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** All values of an option that may be repeated. */
export function texts(options: OptionValues, name: string): string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** The options of a long call that a command passes on. */
export function longCall(invocation: Invocation, onProgress?: LongCall['onProgress']): LongCall {
  return { signal: invocation.signal, onProgress };
}
