/** `npm run bench -- operators`: what operators of flows promise, measured. */
import { parseArgs } from 'node:util';
import { isMet, type Row, table } from '../stream/row';
import { move } from './move';
import { overhead } from './overhead';
import { reduce } from './reduce';
import { rescale } from './rescale';

const USAGE = `usage: npm run bench -- operators [--quick] [--list] [case...]
`;

const CASES = [reduce, move, rescale, overhead];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = positionals.find((wanted) => !CASES.some(({ name }) => name === wanted));
  if (unknown) throw new UsageError(`there is no case ${unknown}`);
  if (values.help || values.list) {
    process.stdout.write(values.help ? USAGE : CASES.map(({ name }) => `${name}\n`).join(''));
    return 0;
  }
  const rows: Row[] = [];
  for (const { name, run } of CASES) {
    if (positionals.length === 0 || positionals.includes(name)) rows.push(...(await run(values.quick)));
  }
  process.stdout.write(table(rows));
  return rows.every(isMet) ? 0 : 1;
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
