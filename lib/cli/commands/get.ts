import { formatSize } from '../../base';
import { type Command, longCall, text, withHost } from '../command';
import { withOutput } from '../files';
import { printJson, withProgressBar } from '../output';

/** `garua get`: an object becomes a file. */
export const get: Command = {
  name: 'get',
  usage: 'CID|fog:SITE/NAME [-o FILE] [--json]',
  summary: 'Write an object to a file or to the output; --json without a file only brings it to this site.',
  options: { output: { type: 'string', short: 'o' } },
  positionals: { minimum: 1, maximum: 1 },
  async run(invocation) {
    const { options, positionals } = invocation;
    const file = text(options, 'output');
    await withHost(invocation, async (host) => {
      const fetch = (path: string | null) =>
        withProgressBar((onProgress) => host.get(positionals[0]!, path, longCall(invocation, onProgress)));
      const result = options.json && file === undefined ? await fetch(null) : await withOutput(file, fetch);
      if (options.json) return printJson(result);
      const { size, source, seconds } = result;
      process.stderr.write(`${formatSize(size)} from ${source} in ${seconds.toFixed(2)} s\n`);
    });
  },
};
