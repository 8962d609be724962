import { type Command, longCall, text, withHost } from '../command';
import { graceOf } from '../grace';
import { printJson } from '../output';

/** `garua restart`: stops a container, if it runs, and starts it with the files it has. */
export const restart: Command = {
  name: 'restart',
  usage: 'NAME [--time SECONDS] [--json]',
  summary: 'Stop a container, as garua stop does, and start it again.',
  options: { time: { type: 'string', short: 't' } },
  positionals: { minimum: 1, maximum: 1 },
  run: (invocation) => {
    const graceMs = graceOf(text(invocation.options, 'time'));
    return withHost(invocation, async (host) => {
      const [name] = invocation.positionals as [string];
      await host.stop(name, { ...longCall(invocation), graceMs });
      // Not with the signal: whoever interrupts it between the two must not be left without the container.
      const status = await host.start(name);
      if (invocation.options.json) printJson(status);
      else process.stdout.write(`${status.name} ${status.state}\n`);
    });
  },
};
