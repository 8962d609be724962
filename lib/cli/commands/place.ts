import { readFile } from 'node:fs/promises';
import { type PlacementAnswer, PlacementModelError, place as solve } from '../../placement';
import { type Command, type OptionValues, text, UsageError } from '../command';
import { printJson, printTable, withProgressBar } from '../output';

/** `garua place`: where the operators of a flow belong. */
export const place: Command = {
  name: 'place',
  usage: 'MODEL.json [--exact] [--seed N] [--seconds S] [--json]',
  summary: 'Say at which site each operator of a model belongs. --exact proves that nothing is better.',
  options: {
    exact: { type: 'boolean' },
    seed: { type: 'string' },
    seconds: { type: 'string' },
  },
  positionals: { minimum: 1, maximum: 1 },
  run: async ({ options, positionals, signal }) => {
    const seed = numberOption(options, 'seed', (value) => Number.isSafeInteger(value) && value >= 0);
    const seconds = numberOption(options, 'seconds', (value) => value > 0 && Number.isFinite(value));
    const model = await readModel(positionals[0]!);
    const answer = await withProgressBar((onProgress) =>
      solve(model, { exact: options.exact === true, seed, seconds, signal, onProgress }),
    );
    if (options.json) printJson(answer);
    else print(answer);
  },
};

function numberOption(
  options: OptionValues,
  name: string,
  isValid: (value: number) => boolean,
): number | undefined {
  const given = text(options, name);
  if (given === undefined) return undefined;
  const value = given.trim() === '' ? Number.NaN : Number(given);
  if (!isValid(value)) throw new UsageError(`--${name} ${given} is not a number that can be used`);
  return value;
}

async function readModel(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new PlacementModelError(
      `the model ${path} cannot be read: ${(cause as Error).message}`,
      'Give the path of a JSON file.',
      { cause },
    );
  }
}

function print(answer: PlacementAnswer): void {
  printTable(['OPERATOR', 'SITE'], Object.entries(answer.placement));
  const { objective, responseTimeMs, traffic, resources, optimal, bound, solver, seconds } = answer;
  const proof = optimal
    ? 'nothing is better'
    : bound === undefined
      ? 'not proven best'
      : `nothing is below ${bound.toPrecision(6)}`;
  process.stdout.write(
    `\nobjective ${objective.toPrecision(6)} (${proof}), response time ${responseTimeMs.toPrecision(4)} ms, ` +
      `traffic ${traffic.toPrecision(4)} B/s x ms, resources ${resources.toPrecision(4)}; ` +
      `${solver}, ${seconds.toFixed(2)} s\n`,
  );
}
