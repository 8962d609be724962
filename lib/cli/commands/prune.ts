import { formatSize } from '../../base';
import { type Command, longCall, withHost } from '../command';
import { printJson } from '../output';

/** `garua prune`: frees what nothing uses. */
export const prune: Command = {
  name: 'prune',
  usage: '[--json]',
  summary: 'Remove images that no container uses, and unfinished downloads.',
  options: {},
  positionals: { minimum: 0, maximum: 0 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const result = await host.prune(longCall(invocation));
      if (invocation.options.json) return printJson(result);
      for (const ref of result.images) process.stdout.write(`removed ${ref}\n`);
      process.stdout.write(
        `${result.layers.length} layers removed, ${formatSize(result.bytesFreed)} freed\n`,
      );
    }),
};
