import { type Command, longCall, text, withHost } from '../command';
import { withInput } from '../files';
import { printJson, withProgressBar } from '../output';

/** `garua restore`: the container of a checkpoint file goes on where it was. */
export const restore: Command = {
  name: 'restore',
  usage: 'FILE|- [--name N] [--json]',
  summary:
    'Let the container of a checkpoint file go on here where it was. Who made the file says what runs.',
  options: { name: { type: 'string' } },
  positionals: { minimum: 1, maximum: 1 },
  async run(invocation) {
    const { options, positionals } = invocation;
    const name = text(options, 'name');
    await withHost(invocation, async (host) => {
      const result = await withInput(positionals[0]!, (path) =>
        withProgressBar((onProgress) => host.restore(path, { ...longCall(invocation, onProgress), name })),
      );
      if (options.json) return printJson(result);
      process.stdout.write(`${result.container.name}\n`);
      const { address, createdAt, seconds } = result;
      const moved = address === 'changed' ? '; its address is another, so open connections were closed' : '';
      process.stderr.write(`goes on from ${createdAt} after ${seconds.toFixed(2)} s${moved}\n`);
    });
  },
};
