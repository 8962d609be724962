import { type Command, longCall, withHost } from '../command';
import { printJson, withProgressBar } from '../output';

/** `garua pin`: an object stays. */
export const pin: Command = {
  name: 'pin',
  usage: 'CID [--json]',
  summary: "Keep an object on the site's NAS whatever the quota; fetches it when it is not there.",
  options: {},
  positionals: { minimum: 1, maximum: 1 },
  async run(invocation) {
    const [object] = invocation.positionals as [string];
    await withHost(invocation, (host) =>
      withProgressBar((onProgress) => host.pin(object, longCall(invocation, onProgress))),
    );
    if (invocation.options.json) printJson({ pinned: object });
  },
};
