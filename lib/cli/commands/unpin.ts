import { type Command, withHost } from '../command';
import { printJson } from '../output';

/** `garua unpin`: an object may go when room is needed. */
export const unpin: Command = {
  name: 'unpin',
  usage: 'CID [--json]',
  summary: 'Let an object go when room is needed and another site has it.',
  options: {},
  positionals: { minimum: 1, maximum: 1 },
  async run(invocation) {
    const [object] = invocation.positionals as [string];
    await withHost(invocation, (host) => host.unpin(object));
    if (invocation.options.json) printJson({ unpinned: object });
  },
};
