import { parseArgs } from 'node:util';
import { randomModel } from '../../../lib/placement';
import { CASES, type PlacementCase } from './cases';
import { corner, type LatencySlices, readLatencies } from './latencies';
import { runGarua, runGreedy, runHighs } from './run';
import { benchSeries, SERIES } from './series';

const USAGE = `usage: npm run bench -- placement [options] [case...]

Measures garua place side by side with HiGHS and greedy placement, on random models and, when a file of
measured latencies is given, on those. A case is named as in "50 x 20"; "series" is the controller over all
slices of measured latencies. The full run takes an hour or two.

  --list             show the cases
  --quick            two models per case, 20 s for HiGHS, without the largest two cases
  --models N         instead of each case's own number
  --highs-seconds S  instead of each case's own limit
  --latencies FILE   {"slices": [[[ms or null]]]}; default $GARUA_BENCH_LATENCIES
`;

interface Row {
  label: string;
  gaps: number[];
  seconds: number[];
  megabytes: number;
  proven: number;
  problems: string[];
}

interface Settings {
  models: number | undefined;
  highsSeconds: number | undefined;
  latencies: LatencySlices | undefined;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      models: { type: 'string' },
      'highs-seconds': { type: 'string' },
      latencies: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (values.list) {
    for (const { name } of [...CASES, { name: SERIES }]) process.stdout.write(`${name}\n`);
    return 0;
  }
  const unknown = positionals.find(
    (wanted) => wanted !== SERIES && !CASES.some(({ name }) => name === wanted),
  );
  if (unknown) {
    process.stderr.write(`error: there is no case ${unknown}\n${USAGE}`);
    return 2;
  }
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const settings: Settings = {
    models: number(values.models) ?? (values.quick ? 2 : undefined),
    highsSeconds: number(values['highs-seconds']) ?? (values.quick ? 20 : undefined),
    latencies: readLatencies(values.latencies ?? process.env.GARUA_BENCH_LATENCIES),
  };
  const cases = CASES.filter(({ name, operators }) =>
    positionals.length > 0 ? positionals.includes(name) : !values.quick || operators < 100,
  );
  const areCasesKept = cases.length === 0 || (await runCases(cases, settings));
  const wantsSeries = positionals.length === 0 || positionals.includes(SERIES);
  if (!wantsSeries || !settings.latencies) return areCasesKept ? 0 : 1;
  const isSeriesKept = await benchSeries(settings.latencies, settings.models);
  return areCasesKept && isSeriesKept ? 0 : 1;
}

async function runCases(cases: readonly PlacementCase[], settings: Settings): Promise<boolean> {
  process.stdout.write(
    '| case | models | above the best, median | worst | proven | seconds, median | worst | MB | bars |\n' +
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n',
  );
  let isGood = true;
  for (const each of cases) {
    for (const isMeasured of each.measured && settings.latencies ? [false, true] : [false]) {
      const row = await measure(each, isMeasured, settings);
      isGood = print(each, row) && isGood;
    }
  }
  return isGood;
}

async function measure(each: PlacementCase, isMeasured: boolean, settings: Settings): Promise<Row> {
  const row: Row = {
    label: isMeasured ? `${each.name}, measured latencies` : each.name,
    gaps: [],
    seconds: [],
    megabytes: 0,
    proven: 0,
    problems: [],
  };
  const { operators, sites } = each;
  for (let seed = 1; seed <= Math.min(each.models, settings.models ?? each.models); seed += 1) {
    const slices = settings.latencies;
    const latencyMs = isMeasured ? corner(slices![seed % slices!.length]!, sites) : undefined;
    const model = randomModel({ operators, sites, seed, latencyMs });
    const { answer, problem, seconds, megabytes } = await runGarua(model);
    row.seconds.push(seconds);
    row.megabytes = Math.max(row.megabytes, megabytes);
    if (!answer) {
      row.problems.push(problem ?? 'no answer');
      continue;
    }
    let best: number | undefined;
    if (each.highsSeconds > 0) {
      const highs = await runHighs({ model, seconds: settings.highsSeconds ?? each.highsSeconds });
      best = highs.objective;
      row.proven += Number(highs.isOptimal);
    } else best = runGreedy(model);
    // Whoever finds nothing is beaten by any answer.
    row.gaps.push(best === undefined ? Number.NEGATIVE_INFINITY : (answer.objective / best - 1) * 100);
    process.stderr.write(
      `${row.label}, model ${seed}: ${row.gaps.at(-1)!.toFixed(3)} %, ${seconds.toFixed(2)} s\n`,
    );
  }
  return row;
}

/** Prints a row, and says whether it keeps its bars. */
function print(each: PlacementCase, row: Row): boolean {
  const gaps = row.gaps.toSorted((a, b) => a - b);
  const seconds = row.seconds.toSorted((a, b) => a - b);
  const median = middle(gaps);
  const worst = gaps.at(-1) ?? Number.NaN;
  const slowest = seconds.at(-1) ?? Number.NaN;
  const good =
    row.problems.length === 0 &&
    median <= each.bar.median + 1e-9 &&
    worst <= each.bar.worst + 1e-9 &&
    slowest <= each.withinSeconds &&
    row.megabytes <= (each.megabytes ?? Number.POSITIVE_INFINITY);
  const cells = [
    row.label,
    `${row.seconds.length}`,
    `${median.toFixed(2)} %`,
    `${worst.toFixed(2)} %`,
    each.highsSeconds > 0 ? `${row.proven}` : 'against greedy',
    middle(seconds).toFixed(2),
    slowest.toFixed(2),
    row.megabytes.toFixed(0),
    good ? 'kept' : `missed ${row.problems.join('; ')}`.trim(),
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
  return good;
}

function middle(sorted: number[]): number {
  const half = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[half]!;
  const [low, high] = [sorted[half - 1]!, sorted[half]!];
  return low === high ? low : (low + high) / 2;
}

main().then(
  (status) => process.exit(status),
  (error) => {
    const isUsage = error.code?.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`error: ${error.message}\n${isUsage ? USAGE : ''}`);
    process.exit(isUsage ? 2 : 1);
  },
);
