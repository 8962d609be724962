import { UsageError } from './command';

/** Milliseconds of `--time SECONDS`, or of another option; undefined when it is absent. @throws {UsageError} */
export function graceOf(seconds: string | undefined, option = 'time'): number | undefined {
  if (seconds === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(seconds))
    throw new UsageError(`--${option} ${seconds} is not a number of seconds`);
  return Number(seconds) * 1000;
}
