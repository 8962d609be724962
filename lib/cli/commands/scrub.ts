import { formatSize, parseSize } from '../../base';
import { type Command, longCall, text, withHost } from '../command';
import { printJson, withProgressBar } from '../output';

/** `garua scrub`: looks for damage. */
export const scrub: Command = {
  name: 'scrub',
  usage: '[--rate BYTES_PER_SECOND] [--json]',
  summary: 'Read and check all objects of the site; what is damaged is put aside and fetched again.',
  options: { rate: { type: 'string' } },
  positionals: { minimum: 0, maximum: 0 },
  async run(invocation) {
    const rate = text(invocation.options, 'rate');
    await withHost(invocation, async (host) => {
      const result = await withProgressBar((onProgress) =>
        host.scrub({
          ...longCall(invocation, onProgress),
          ...(rate === undefined ? {} : { bytesPerSecond: Math.max(1, parseSize(rate)) }),
        }),
      );
      if (invocation.options.json) return printJson(result);
      const { objects, bytes, damaged, repaired } = result;
      process.stdout.write(
        `${objects} objects, ${formatSize(bytes)}: ${damaged.length} damaged, ${repaired.length} repaired\n`,
      );
      for (const cid of damaged) if (!repaired.includes(cid)) process.stdout.write(`lost here: ${cid}\n`);
    });
  },
};
