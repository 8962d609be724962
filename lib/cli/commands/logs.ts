import type { LogLine } from '../../container';
import { type Command, longCall, text, UsageError, withHost } from '../command';

/** `garua logs`: what a container wrote. */
export const logs: Command = {
  name: 'logs',
  usage: 'NAME [--follow] [--tail N] [--since TIME] [--json]',
  summary:
    'Print what a container wrote; --json prints a list of lines, and with --follow one document per line.',
  options: {
    follow: { type: 'boolean', short: 'f' },
    tail: { type: 'string' },
    since: { type: 'string' },
  },
  positionals: { minimum: 1, maximum: 1 },
  run: (invocation) => {
    const { options, positionals } = invocation;
    const tail = lineCount(text(options, 'tail'));
    return withHost(invocation, async (host) => {
      const name = positionals[0]!;
      const follow = options.follow === true;
      const over = new AbortController();
      // Following ends with the container, whose last lines still come.
      if (follow)
        host.wait(name, longCall(invocation)).then(
          () => over.abort(),
          () => over.abort(),
        );
      const lines = host.logs(name, {
        signal: follow ? over.signal : invocation.signal,
        follow,
        tail,
        since: text(options, 'since'),
      });
      if (options.json && !follow) return printList(lines);
      for await (const line of lines) {
        if (options.json) process.stdout.write(`${JSON.stringify(line)}\n`);
        else writeLogLine(line);
      }
    });
  },
};

/** A container's line goes where the container wrote it. */
export function writeLogLine({ stream, text: line }: LogLine): void {
  process[stream].write(`${line}\n`);
}

/** One document, written as it comes: a log may be longer than memory. */
async function printList(lines: AsyncIterable<LogLine>): Promise<void> {
  let separator = '[\n';
  for await (const line of lines) {
    process.stdout.write(`${separator}  ${JSON.stringify(line)}`);
    separator = ',\n';
  }
  process.stdout.write(separator === '[\n' ? '[]\n' : '\n]\n');
}

function lineCount(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+$/.test(value)) throw new UsageError(`--tail ${value} is not a number of lines`);
  return Number(value);
}
