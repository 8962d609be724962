import { formatSize, fromErrorDocument } from '../../base';
import type { MigrationPlan } from '../../host';
import type { MigrationMode, MigrationResult } from '../../migration/protocol';
import { type Command, type Invocation, longCall, text, UsageError, withHost } from '../command';
import { graceOf } from '../grace';
import { printJson, withProgressBar } from '../output';

const MODES = ['live', 'cold', 'elastic'];

/** `garua migrate`: a running container goes on at another host. */
export const migrate: Command = {
  name: 'migrate',
  usage:
    'NAME --to HOST [--mode live|cold|elastic] [--time SECONDS] [--standstill SECONDS] [--forward SECONDS] [--dry-run] [--json]',
  summary:
    'Move a running container to another host of the fog (--mode live, the default, keeps its memory and files). ' +
    'It is given up, and goes on here, when it stands still for longer than --standstill (default a minute, and four times what --dry-run expects). ' +
    'This host passes connections to its published ports on for --forward SECONDS (default an hour; 0: not at all), as long as somebody comes. ' +
    'After a migration whose other host is lost: --resolve NAME --here|--there says where it runs.',
  options: {
    to: { type: 'string' },
    mode: { type: 'string' },
    time: { type: 'string', short: 't' },
    standstill: { type: 'string' },
    forward: { type: 'string' },
    'dry-run': { type: 'boolean' },
    resolve: { type: 'string' },
    here: { type: 'boolean' },
    there: { type: 'boolean' },
  },
  positionals: { minimum: 0, maximum: 1 },
  async run(invocation) {
    const { options, positionals } = invocation;
    if (options.resolve !== undefined) return resolve(invocation);
    const [to, mode = 'live'] = [text(options, 'to'), text(options, 'mode')];
    const [name] = positionals;
    if (name === undefined || to === undefined) throw new UsageError('migrate needs NAME --to HOST');
    if (!MODES.includes(mode)) throw new UsageError(`--mode is one of ${MODES.join(', ')}`);
    if (options.here || options.there) throw new UsageError('--here and --there go with --resolve NAME');
    const request = {
      to,
      mode: mode as MigrationMode,
      dryRun: options['dry-run'] === true,
      graceMs: graceOf(text(options, 'time')),
      standstillMs: graceOf(text(options, 'standstill'), 'standstill'),
      forwardMs: graceOf(text(options, 'forward'), 'forward'),
    };
    await withHost(invocation, async (host) => {
      const outcome = await withProgressBar((onProgress) =>
        host.migrate(name, { ...longCall(invocation, onProgress), ...request }),
      );
      if (options.json) printJson(outcome);
      if ('possible' in outcome) {
        if (!options.json) printPlan(outcome, to);
        return;
      }
      if (!options.json && outcome.outcome === 'moved') printResult(outcome, to);
      if (outcome.warning)
        process.stderr.write(`warning ${outcome.warning.code}: ${outcome.warning.message}\n`);
      // It goes on where it was: that is not what was asked for.
      if (outcome.error) throw fromErrorDocument(outcome.error);
    });
  },
};

async function resolve(invocation: Invocation): Promise<void> {
  const { options, positionals } = invocation;
  if (positionals.length > 0 || options.to !== undefined || options.here === options.there) {
    throw new UsageError('migrate --resolve NAME takes --here or --there');
  }
  const name = text(options, 'resolve')!;
  const where = options.here ? 'here' : 'there';
  await withHost(invocation, (host) => host.resolveMigration(name, where));
  if (options.json) printJson({ name, where });
  else process.stdout.write(`${name} counts ${where}\n`);
}

function printPlan({ possible, problems, fresh, mode, estimate }: MigrationPlan, to: string): void {
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (!possible) return;
  const how = fresh && mode !== 'elastic' ? ', started anew since it cannot be checkpointed' : '';
  process.stdout.write(
    `can move to ${to} (${mode}${how}): about ${formatSize(estimate.bytes)}, standing still for about ${estimate.downtimeMs} ms\n`,
  );
}

function printResult({ address, downtimeMs, totalMs, bytesSent }: MigrationResult, to: string): void {
  const kept = address === 'none' ? '' : `, address ${address}`;
  process.stdout.write(
    `moved to ${to} in ${(totalMs / 1000).toFixed(1)} s; stood still for ${downtimeMs} ms, ${formatSize(bytesSent)} sent${kept}\n`,
  );
}
