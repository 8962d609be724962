import { planUninstall } from '../../host';
import { type Command, text } from '../command';
import { carryOut } from './setup';

/** `garua uninstall`: takes away what the set-up, the doctor and the containers have left on this machine. */
export const uninstall: Command = {
  name: 'uninstall',
  usage: '[--purge] [--packages] [--dry-run] [--json]',
  summary:
    'Take everything of Garua off this machine. --purge: also the data directory, with images and containers; --packages: also the Debian packages that garua setup installed.',
  options: { purge: { type: 'boolean' }, packages: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  positionals: { minimum: 0, maximum: 0 },
  async run({ options, signal }) {
    const { steps, notes } = await planUninstall({
      purge: Boolean(options.purge),
      packages: Boolean(options.packages),
      dataDirectory: text(options, 'data'),
    });
    await carryOut(steps, notes, Boolean(options['dry-run']), Boolean(options.json), signal);
  },
};
