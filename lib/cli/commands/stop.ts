import { type Command, longCall, text, UsageError, withHost } from '../command';
import { printJson } from '../output';

/** `garua stop`: ends a container and keeps its files. */
export const stop: Command = {
  name: 'stop',
  usage: 'NAME [--time SECONDS] [--json]',
  summary: 'Stop a container; it is killed when it has not ended after --time seconds (default 10).',
  options: { time: { type: 'string', short: 't' } },
  positionals: { minimum: 1, maximum: 1 },
  run: (invocation) => {
    const graceMs = milliseconds(text(invocation.options, 'time'));
    return withHost(invocation, async (host) => {
      const status = await host.stop(invocation.positionals[0]!, { ...longCall(invocation), graceMs });
      if (invocation.options.json) printJson(status);
      else process.stdout.write(`${status.name} ${status.state}\n`);
    });
  },
};

function milliseconds(seconds: string | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(seconds)) throw new UsageError(`--time ${seconds} is not a number of seconds`);
  return Number(seconds) * 1000;
}
