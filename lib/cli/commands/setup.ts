import { PermissionError } from '../../base';
import { type Purpose, planSetup, runSteps } from '../../host';
import { type Command, text, UsageError } from '../command';
import { printJson } from '../output';
import { wrap } from '../wrap';

const PURPOSES: Purpose[] = ['containers', 'demo', 'tests'];

/** `garua setup`: makes this machine a host. */
export const setup: Command = {
  name: 'setup',
  usage: '[--for containers] [--user NAME] [--no-service] [--dry-run] [--json]',
  summary:
    'Bring this machine what a host needs: programs, folders, the group garua, the daemon. Says what it will do first; --dry-run does nothing more.',
  options: {
    for: { type: 'string' },
    user: { type: 'string' },
    'no-service': { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  positionals: { minimum: 0, maximum: 0 },
  async run({ options, signal }) {
    const purpose = (text(options, 'for') ?? 'containers') as Purpose;
    if (!PURPOSES.includes(purpose))
      throw new UsageError(`--for ${purpose}: it is one of ${PURPOSES.join(', ')}`);
    const { steps, notes } = await planSetup({
      purpose,
      user: text(options, 'user') ?? invokingUser(),
      service: !options['no-service'],
      dataDirectory: text(options, 'data'),
      socket: text(options, 'socket'),
      signal,
      say,
    });
    await carryOut(steps, notes, Boolean(options['dry-run']), Boolean(options.json), signal);
  },
};

/** Says what is to be done, and does it unless that was all that was asked for. */
export async function carryOut(
  steps: Parameters<typeof runSteps>[0],
  notes: string[],
  dryRun: boolean,
  json: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (!json) {
    say(steps.length === 0 ? 'There is nothing to do.' : dryRun ? 'It would:' : 'It will:');
    for (const { what } of steps) say(`  - ${wrap(what, 4)}`);
  }
  if (!dryRun && steps.length > 0) {
    if (process.getuid?.() !== 0)
      throw new PermissionError('changing this machine needs root', 'Run it with sudo.');
    if (!json) say('');
    await runSteps(steps, (what) => json || say(`${wrap(what, 2)} ...`), signal);
  }
  if (json) return printJson({ done: !dryRun, steps: steps.map(({ what }) => what), notes });
  for (const note of notes) say(`\n${wrap(note, 0)}`);
}

function invokingUser(): string | undefined {
  const user = process.env.SUDO_USER;
  return user && user !== 'root' ? user : undefined;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
