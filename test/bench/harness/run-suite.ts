import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFileAtomic } from '../../../lib/base';
import { ImageLibrary } from '../images/library';
import { PULLERS } from '../pullers';
import type { Bench, BenchCase } from './bench';
import { Cleanup } from './cleanup';
import { CACHE } from './paths';
import { drawPlots } from './plots';
import { killAllGroups } from './processes';
import { Registry } from './registry';
import { toMarkdown } from './report';
import type { CaseResult } from './result';
import { WorkArea } from './work-area';

/** A group of cases that is run and reported together. */
export interface CaseSuite {
  name: string;
  /** What it measures; a sentence or two. */
  about: string;
  cases: BenchCase[];
  /** File name of the results in `.bench`, without the ending. */
  results: string;
}

const usageOf = ({ name, about }: CaseSuite) => `usage: npm run bench -- ${name} [options] [case...]

${about}

  --quick            a part of the cases, with few repetitions
  --only CASE        the same as naming the case (repeatable)
  --pullers A,B      only these of ${Object.keys(PULLERS).join(', ')} (the wire always runs)
  --repetitions N    instead of each case's own number
  --list             show the cases
`;

async function main(suite: CaseSuite): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      pullers: { type: 'string' },
      repetitions: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(usageOf(suite));
  if (values.list) return print(suite.cases.map(describe).join(''));
  const names = [...positionals, ...values.only];
  const unknown = names.find((name) => !suite.cases.some((known) => known.name === name));
  if (unknown) throw new UsageError(`there is no case ${unknown}`);
  const repetitions = values.repetitions === undefined ? undefined : Number(values.repetitions);
  if (repetitions !== undefined && !(repetitions >= 1)) throw new UsageError('--repetitions takes a number');
  const pullers = values.pullers?.split(',');
  const stranger = pullers?.find((name) => !(name in PULLERS));
  if (stranger) throw new UsageError(`there is no puller ${stranger}`);
  if (process.getuid?.() !== 0) throw new Error('the benchmark needs root: run it with sudo');

  const cases = suite.cases.filter((known) =>
    names.length ? names.includes(known.name) : !values.quick || known.quick,
  );
  const cleanup = new Cleanup();
  cleanup.onSignals();
  try {
    const bench = await open(cleanup, { quick: values.quick });
    if (pullers) bench.pullers = pullers;
    if (repetitions) bench.repetitions = repetitions;
    return await runCases(suite, cases, bench);
  } finally {
    killAllGroups();
    await cleanup.run();
  }
}

async function open(cleanup: Cleanup, { quick }: { quick: boolean }): Promise<Bench> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  mkdirSync(CACHE, { recursive: true });
  const area = await WorkArea.open(cleanup);
  const registry = await Registry.start(join(CACHE, 'registry'), area.folder('disk', 'registry'), cleanup);
  const images = new ImageLibrary(CACHE, registry, say);
  return { registry, images, area, cleanup, quick, say };
}

/** Runs the cases in turn; results so far are on disk after each. */
async function runCases(suite: CaseSuite, cases: BenchCase[], bench: Bench): Promise<number> {
  // A quick run says little: it does not take the place of a full one.
  const prefix = bench.quick ? 'quick-' : '';
  const base = `${prefix}${suite.results}`;
  const file = join(CACHE, `${base}.json`);
  const stored: Record<string, CaseResult> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const ran: CaseResult[] = [];
  let failed = 0;
  for (const { name, run } of cases) {
    try {
      const result = await run(bench);
      ran.push(result);
      stored[name] = result;
    } catch (error) {
      if (bench.cleanup.started) break;
      failed += 1;
      bench.say(`case ${name} failed: ${(error as Error).stack}`);
      continue;
    }
    const all = suite.cases.flatMap((known) => stored[known.name] ?? []);
    await writeFileAtomic(file, `${JSON.stringify(stored, null, 2)}\n`);
    await writeFileAtomic(join(CACHE, `${base}.md`), toMarkdown(all));
    for (const [plot, svg] of Object.entries(drawPlots(all))) {
      await writeFileAtomic(join(CACHE, `${prefix}${plot}`), svg);
    }
  }
  print(toMarkdown(ran));
  bench.say(`results, plots and raw numbers are in ${CACHE}/${base}.*`);
  return failed === 0 && !ran.some(ourFailure) ? 0 : 1;
}

/** A peer may fail; we may not. */
function ourFailure(result: CaseResult): boolean {
  return result.kind === 'pulls' && result.rows.some((row) => row.puller.startsWith('garua') && row.problem);
}

function describe({ name, summary, quick }: BenchCase): string {
  return `${name.padEnd(22)} ${summary}${quick ? ' (also in --quick)' : ''}\n`;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

class UsageError extends Error {}

/** Runs a suite with this process's arguments, and ends the process. */
export function runSuite(suite: CaseSuite): void {
  main(suite).then(
    (status) => process.exit(status),
    (error) => {
      const isUsage = error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS');
      process.stderr.write(`error: ${error.message}\n${isUsage ? usageOf(suite) : ''}`);
      process.exit(isUsage ? 2 : 1);
    },
  );
}
