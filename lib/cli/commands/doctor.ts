import { applyFixes, type CheckResult, examine, type Fixed, findAll, undoFixes } from '../../host';
import { type Command, type Invocation, text, UsageError, withHost } from '../command';
import { printJson } from '../output';
import { wrap } from '../wrap';

const SIGNS = { ok: 'ok', warn: 'warn', fail: 'FAIL' };
/** Where the columns begin. */
const DETAIL = 28;

/** `garua doctor`: what this machine has and lacks, and what could be better. */
export const doctor: Command = {
  name: 'doctor',
  usage: '[--fix | --undo] [--json]',
  summary:
    'Say what this machine has and lacks, and what to do about it. --fix changes what is safe to change, --undo takes that back.',
  options: { fix: { type: 'boolean' }, undo: { type: 'boolean' } },
  positionals: { minimum: 0, maximum: 0 },
  async run(invocation) {
    const { options } = invocation;
    const { fix, undo, json, socket } = options;
    if (fix && undo) throw new UsageError('--fix and --undo are opposites');
    if (socket && (fix || undo))
      throw new UsageError('--fix and --undo work on this machine, without --socket');
    if (undo) return takeBack(invocation);
    const { checks, fixed } = fix
      ? await mend(invocation)
      : { checks: await look(invocation), fixed: undefined };
    if (json) return printJson({ checks, ...(fixed ? { fixed } : {}) });
    printChecks(checks);
    if (fixed) printFixed(fixed);
  },
};

/** Through the daemon when one is named: it sees more than a user does. */
async function look(invocation: Invocation): Promise<CheckResult[]> {
  const { options, signal } = invocation;
  if (text(options, 'socket'))
    return withHost(invocation, async (host) => (await host.examine({ signal })).checks);
  return (await examine({ dataDirectory: text(options, 'data'), thorough: true, signal })).checks;
}

/** The checks are those after the changes. */
async function mend({ options, signal }: Invocation): Promise<{ checks: CheckResult[]; fixed: Fixed[] }> {
  const dataDirectory = text(options, 'data');
  const fixed = await applyFixes(await findAll({ dataDirectory, signal }), { dataDirectory });
  return { checks: (await examine({ dataDirectory, thorough: true, signal })).checks, fixed };
}

async function takeBack({ options }: Invocation): Promise<void> {
  const undone = await undoFixes({ dataDirectory: text(options, 'data') });
  if (options.json) return printJson({ undone });
  if (undone.length === 0) process.stdout.write('There is nothing to undo.\n');
  for (const { id, what, kept } of undone) {
    process.stdout.write(`undone  ${id}: ${what}\n`);
    for (const path of kept)
      process.stdout.write(`        left as it is, since somebody has changed it: ${path}\n`);
  }
}

function printChecks(checks: CheckResult[]): void {
  let area: string | undefined;
  for (const check of checks) {
    if (check.area !== area) process.stdout.write(`${area === undefined ? '' : '\n'}${check.area}\n`);
    area = check.area;
    const head = `  ${SIGNS[check.status].padEnd(4)}  ${check.id}`.padEnd(DETAIL);
    process.stdout.write(`${head}${wrap(check.detail, DETAIL)}\n`);
    if (check.status === 'ok') continue;
    process.stdout.write(`${' '.repeat(DETAIL)}${wrap(`Why: ${check.why}`, DETAIL)}\n`);
    if (check.fix) process.stdout.write(`${' '.repeat(DETAIL)}${wrap(`Fix: ${check.fix}`, DETAIL)}\n`);
  }
  const count = (status: string) => checks.filter((check) => check.status === status).length;
  process.stdout.write(`\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failing\n`);
}

function printFixed(fixed: Fixed[]): void {
  if (fixed.length === 0)
    process.stdout.write('Nothing was changed: there is nothing that is safe to mend.\n');
  for (const { id, what, undo } of fixed) {
    process.stdout.write(`\nchanged  ${wrap(`${id}: ${what}`, 9)}\n         ${wrap(`Undo: ${undo}`, 9)}\n`);
  }
  if (fixed.length > 0) process.stdout.write('\nsudo garua doctor --undo takes all of it back.\n');
}
