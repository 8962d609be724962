import { type Command, longCall, withHost } from '../command';
import { printJson } from '../output';

/** `garua rm`: removes a container and its files. */
export const rm: Command = {
  name: 'rm',
  usage: 'NAME [--force] [--json]',
  summary: 'Remove a stopped container; --force kills it first when it runs.',
  options: { force: { type: 'boolean', short: 'f' } },
  positionals: { minimum: 1, maximum: 1 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const name = invocation.positionals[0]!;
      await host.remove(name, {
        ...longCall(invocation),
        force: invocation.options.force === true,
        graceMs: 0,
      });
      if (invocation.options.json) printJson({ name, removed: true });
      else process.stdout.write(`${name} removed\n`);
    }),
};
