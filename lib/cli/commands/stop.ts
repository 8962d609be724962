import { type Command, longCall, text, withHost } from '../command';
import { graceOf } from '../grace';
import { printJson } from '../output';

/** `garua stop`: ends a container and keeps its files. */
export const stop: Command = {
  name: 'stop',
  usage: 'NAME [--time SECONDS] [--json]',
  summary: 'Stop a container; it is killed when it has not ended after --time seconds (default 10).',
  options: { time: { type: 'string', short: 't' } },
  positionals: { minimum: 1, maximum: 1 },
  run: (invocation) => {
    const graceMs = graceOf(text(invocation.options, 'time'));
    return withHost(invocation, async (host) => {
      const status = await host.stop(invocation.positionals[0]!, { ...longCall(invocation), graceMs });
      if (invocation.options.json) printJson(status);
      else process.stdout.write(`${status.name} ${status.state}\n`);
    });
  },
};
