import { UsageError } from './command';

/** Milliseconds of `--time SECONDS`; undefined when it is absent. @throws {UsageError} */
export function graceOf(seconds: string | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(seconds)) throw new UsageError(`--time ${seconds} is not a number of seconds`);
  return Number(seconds) * 1000;
}
