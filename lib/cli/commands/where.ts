import { type Command, longCall, withHost } from '../command';
import { printJson } from '../output';

/** `garua where`: who has an object. */
export const where: Command = {
  name: 'where',
  usage: 'CID [--json]',
  summary: 'Print the sites that have an object.',
  options: {},
  positionals: { minimum: 1, maximum: 1 },
  async run(invocation) {
    await withHost(invocation, async (host) => {
      const result = await host.where(invocation.positionals[0]!, longCall(invocation));
      if (invocation.options.json) return printJson(result);
      for (const site of result.sites) process.stdout.write(`${site}\n`);
      if (!result.complete) process.stderr.write('not every site has answered\n');
    });
  },
};
