import { formatSize } from '../../base';
import { type Command, withHost } from '../command';
import { formatAge, printJson, printTable } from '../output';

/** `garua images`: what is in the store. */
export const images: Command = {
  name: 'images',
  usage: '[--json]',
  summary: 'List the images on this host.',
  options: {},
  positionals: { minimum: 0, maximum: 0 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const stored = await host.images();
      if (invocation.options.json) {
        // The image's own configuration may be long, and is not this list's matter.
        return printJson(stored.map(({ config: _config, ...image }) => image));
      }
      printTable(
        ['IMAGE', 'DIGEST', 'LAYERS', 'SIZE', 'PULLED'],
        stored.map((image) => [
          image.ref,
          image.digest.slice(0, 19),
          String(image.chainIds.length),
          formatSize(image.size),
          formatAge(image.pulledAt),
        ]),
      );
    }),
};
