/** `node dist/test/bench/stream/main.js [--quick] [CASE...]`: the windows' promises, measured. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { library } from './library';
import { manyKeys } from './many-keys';
import { node } from './node';
import { isMet, type Row } from './row';
import { wideState } from './wide-state';

const CASES = [library, manyKeys, wideState, node];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
  });
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

function table(rows: Row[]): string {
  const lines = rows.map((row) => {
    const { what, value, unit, bar } = row;
    const limit = !bar ? '' : 'atLeast' in bar ? `at least ${bar.atLeast}` : `at most ${bar.atMost}`;
    const digits = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
    return `| ${what} | ${digits} ${unit} | ${limit} | ${bar ? (isMet(row) ? 'yes' : '**no**') : ''} |`;
  });
  return ['| what | measured | bar | met |', '|---|---|---|---|', ...lines, ''].join('\n');
}

main().then(
  (status) => process.exit(status),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(2);
  },
);
