import { formatSize } from '../../base';
import { parseReplication } from '../../store';
import { type Command, longCall, text, withHost } from '../command';
import { withInput } from '../files';
import { printJson, withProgressBar } from '../output';

/** `garua put`: a file becomes an object. */
export const put: Command = {
  name: 'put',
  usage: 'FILE|- [--as NAME] [--pin] [--replicate local|near:N|all] [--json]',
  summary:
    "Put a file, or what comes in, on the site's NAS as an object; prints its CID. --as fog:SITE/NAME, or NAME of this site, makes the name mean it.",
  options: { replicate: { type: 'string' }, as: { type: 'string' }, pin: { type: 'boolean' } },
  positionals: { minimum: 1, maximum: 1 },
  async run(invocation) {
    const { options, positionals } = invocation;
    const [name, pin] = [text(options, 'as'), options.pin === true];
    const replicate = parseReplication(text(options, 'replicate') ?? 'local');
    await withHost(invocation, async (host) => {
      const result = await withInput(positionals[0]!, (path) =>
        withProgressBar((onProgress) =>
          host.put(path, { ...longCall(invocation, onProgress), replicate, name, pin }),
        ),
      );
      if (options.json) return printJson(result);
      process.stdout.write(`${result.cid}\n`);
      const { replicas, pending } = result;
      process.stderr.write(`${formatSize(result.size)} in ${result.seconds.toFixed(2)} s\n`);
      if (result.name) process.stderr.write(`named ${result.name}\n`);
      if (replicas.length > 0) process.stderr.write(`also at ${replicas.join(', ')}\n`);
      if (pending.length > 0) process.stderr.write(`later at ${pending.join(', ')}\n`);
    });
  },
};
