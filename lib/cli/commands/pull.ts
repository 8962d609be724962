import { formatSize } from '../../base';
import { type Command, fullReference, longCall, text, withHost } from '../command';
import { printJson, withProgressBar } from '../output';

/** `garua pull`: brings an image to this host. */
export const pull: Command = {
  name: 'pull',
  usage: 'REF [--platform OS/ARCH[/VARIANT]] [--insecure] [--json]',
  summary:
    'Bring an image here; REF names a registry image, oci:DIR, oci-archive:FILE or docker-archive:FILE.',
  options: { platform: { type: 'string' }, insecure: { type: 'boolean' } },
  positionals: { minimum: 1, maximum: 1 },
  async run(invocation) {
    const { options, positionals } = invocation;
    const ref = fullReference(positionals[0]!);
    await withHost(invocation, async (host) => {
      const result = await withProgressBar((onProgress) =>
        host.pull(ref, {
          ...longCall(invocation, onProgress),
          platform: text(options, 'platform'),
          insecure: options.insecure === true,
        }),
      );
      for (const warning of result.warnings) process.stderr.write(`warning: ${warning}\n`);
      if (options.json) return printJson(result);
      for (const layer of result.layers) {
        const resumed = layer.resumed > 0 ? `, ${formatSize(layer.resumed)} resumed` : '';
        process.stdout.write(
          `${layer.digest.slice(0, 19)}  ${layer.source}  ${formatSize(layer.bytes)}${resumed}\n`,
        );
      }
      process.stdout.write(
        `${result.ref}  ${result.digest}\n` +
          `${formatSize(result.bytesDownloaded)} fetched, ${formatSize(result.bytesUnpacked)} unpacked in ${result.seconds.toFixed(1)} s\n`,
      );
    });
  },
};
