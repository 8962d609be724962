import type { LogLine, LogMark, LogOptions } from '../container';
import { invalidField } from '../errors';
import type { ContainerFolder } from '../paths';
import { LogCursor } from './cursor';

/** @throws {InvalidArgumentError} */
export function checkLogOptions({ tail, since }: LogOptions): void {
  if (tail !== undefined && !(Number.isSafeInteger(tail) && tail >= 0)) {
    throw invalidField('tail', `${tail} is not a number of lines`);
  }
  if (since !== undefined && Number.isNaN(Date.parse(since))) {
    throw invalidField('since', `"${since}" is not a time`, 'Write it as in 2026-01-31T12:00:00Z.');
  }
}

/**
 * The lines of a container's log. With `follow` it goes on until the log is removed; when the signal fires it
 * ends after the lines that are there by then. Without `follow` the signal makes it reject.
 */
export async function* readLog(folder: ContainerFolder, options: LogOptions): AsyncGenerator<LogLine> {
  const { tail, follow = false, signal, after } = options;
  const wanted = after ? linesPast(after) : linesAfter(options.since);
  await using log = new LogCursor(folder);
  if (tail !== undefined) await log.seekTail(tail);
  else if (after) await log.seekTime(Date.parse(after.time));
  else if (options.since !== undefined) await log.seekTime(Date.parse(options.since));
  const last: LogLine[] = [];
  for await (const lines of log.available(follow ? undefined : signal)) {
    if (tail === undefined) yield* wanted(lines);
    else last.splice(0, last.push(...wanted(lines)) - tail);
  }
  if (!follow) last.push(...wanted(log.flush()));
  yield* tail === undefined ? last : last.slice(Math.max(0, last.length - tail));
  if (!follow) return;
  while (!signal?.aborted && (await log.changed(signal))) {
    for await (const lines of log.available(undefined)) yield* wanted(lines);
  }
  for await (const lines of log.available(undefined)) yield* wanted(lines);
  yield* wanted(log.flush());
}

/** Leaves out lines up to a time, that time included. Once one is later, so are all that follow. */
function linesAfter(time: string | undefined): (lines: LogLine[]) => LogLine[] {
  let since = time === undefined ? undefined : nanoseconds(time);
  return (lines) => {
    if (since === undefined) return lines;
    const limit = since;
    const first = lines.findIndex((line) => nanoseconds(line.time) > limit);
    if (first < 0) return [];
    since = undefined;
    return lines.slice(first);
  };
}

/** Leaves out lines up to a place. Where that is not in the log any more, the first later one counts. */
function linesPast({ time, lines: count }: LogMark): (lines: LogLine[]) => LogLine[] {
  const limit = nanoseconds(time);
  let isPast = false;
  let seen = 0;
  const passes = (line: LogLine) => {
    if (line.time !== time) return seen > 0 || nanoseconds(line.time) > limit;
    seen += 1;
    return seen > count;
  };
  return (lines) => {
    if (isPast) return lines;
    const first = lines.findIndex(passes);
    isPast = first >= 0;
    return isPast ? lines.slice(first) : [];
  };
}

/** Since 1970; a log has lines that are less than a millisecond apart. */
function nanoseconds(time: string): bigint {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? '';
  const seconds = Math.floor(Date.parse(time) / 1000);
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}
