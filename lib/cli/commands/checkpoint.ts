import { formatSize } from '../../base';
import { type Command, longCall, text, UsageError, withHost } from '../command';
import { withOutput } from '../files';
import { printJson, withProgressBar } from '../output';

/** Only root is to read the memory of a container. */
const MODE = 0o600;

/** `garua checkpoint`: a running container, with its memory, becomes a file; it goes on. */
export const checkpoint: Command = {
  name: 'checkpoint',
  usage: 'NAME -o FILE [--json]',
  summary:
    'Write a running container, its memory included, to a file that restore lets go on; it goes on here too.',
  options: { output: { type: 'string', short: 'o' } },
  positionals: { minimum: 1, maximum: 1 },
  async run(invocation) {
    const { options, positionals } = invocation;
    const file = text(options, 'output');
    if (file === undefined) throw new UsageError('checkpoint needs -o FILE');
    await withHost(invocation, async (host) => {
      const result = await withOutput(
        file,
        (path) =>
          withProgressBar((onProgress) =>
            host.checkpoint(positionals[0]!, path, longCall(invocation, onProgress)),
          ),
        MODE,
      );
      if (options.json) return printJson(result);
      const { size, frozenMs, seconds } = result;
      process.stderr.write(
        `${formatSize(size)} in ${seconds.toFixed(2)} s; it stood still for ${frozenMs} ms\n`,
      );
    });
  },
};
