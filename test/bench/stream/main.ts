/** `npm run bench -- stream`: the windows' promises, measured. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { library } from './library';
import { manyKeys } from './many-keys';
import { node } from './node';
import { isMet, type Row, table } from './row';
import { wideState } from './wide-state';

const USAGE = `usage: npm run bench -- stream [--quick] [--list] [case...]
`;

const CASES = [library, manyKeys, wideState, node];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      /** For the process of one case. */
      only: { type: 'string' },
    },
  });
  const unknown = positionals.find((wanted) => !CASES.some(({ name }) => name === wanted));
  if (unknown) throw new UsageError(`there is no case ${unknown}`);
  if (values.help || values.list) {
    process.stdout.write(values.help ? USAGE : CASES.map(({ name }) => `${name}\n`).join(''));
    return 0;
  }
  if (values.only) {
    const rows = await CASES.find(({ name }) => name === values.only)!.run(values.quick);
    process.stdout.write(`\n${JSON.stringify(rows)}\n`);
    return 0;
  }
  const rows: Row[] = [];
  for (const { name } of CASES) {
    if (positionals.length === 0 || positionals.includes(name)) rows.push(...measure(name, values.quick));
  }
  process.stdout.write(table(rows));
  return rows.every(isMet) ? 0 : 1;
}

/** Each case has a process of its own: what one leaves behind must not slow the next. */
function measure(name: string, quick: boolean): Row[] {
  const args = [__filename, '--only', name, ...(quick ? ['--quick'] : [])];
  const { stdout, status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`the case ${name} failed`);
  return JSON.parse(String(stdout).trim().split('\n').at(-1)!);
}

class UsageError extends Error {}

main().then(
  (status) => process.exit(status),
  (error) => {
    const isUsage = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(isUsage ? `error: ${error.message}\n${USAGE}` : `${error.stack}\n`);
    process.exit(isUsage ? 2 : 1);
  },
);
