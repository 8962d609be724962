import { formatSize } from '../../base';
import { type Command, longCall, withHost } from '../command';
import { printJson } from '../output';

/** `garua gc`: makes room on the site's NAS. */
export const gc: Command = {
  name: 'gc',
  usage: '[--json]',
  summary: 'Remove leftovers, and evict objects until the site is within its quota.',
  options: {},
  positionals: { minimum: 0, maximum: 0 },
  async run(invocation) {
    await withHost(invocation, async (host) => {
      const result = await host.gc(longCall(invocation));
      if (invocation.options.json) return printJson(result);
      const { evicted, bytesFreed, objects, bytes } = result;
      process.stdout.write(
        `${evicted.length} objects evicted, ${formatSize(bytesFreed)} freed; ${objects} objects stay (${formatSize(bytes)})\n`,
      );
    });
  },
};
