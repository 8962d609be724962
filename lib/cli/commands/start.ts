import { type Command, longCall, withHost } from '../command';
import { printJson } from '../output';

/** `garua start`: starts a stopped container with the files it had. */
export const start: Command = {
  name: 'start',
  usage: 'NAME [--json]',
  summary: 'Start a stopped container again.',
  options: {},
  positionals: { minimum: 1, maximum: 1 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const status = await host.start(invocation.positionals[0]!, longCall(invocation));
      if (invocation.options.json) printJson(status);
      else process.stdout.write(`${status.name} ${status.state}\n`);
    }),
};
