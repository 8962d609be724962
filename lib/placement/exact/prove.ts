import { type Contradiction, listed } from '../model/domains';
import type { Problem } from '../model/problem';
import { solveWithHighs } from './highs';
import { PlacementProgram, programSize, type Relaxation } from './placement-program';

/** Columns up to which a proof is tried. */
const LARGEST_PROGRAM = 50_000;

/** What can be left out of the model, and how its lack of room is put in words. */
const KINDS: { kind: keyof Relaxation; words: (problem: Problem) => string }[] = [
  { kind: 'bandwidth', words: bandwidthWords },
  { kind: 'memory', words: (problem) => `memory: ${packingWords(problem, 'memory')}` },
  { kind: 'cpu', words: (problem) => `cpu: ${packingWords(problem, 'cpu')}` },
];

/**
 * Asks HiGHS whether any placement is feasible. If none is, kinds of constraints are left out one after
 * another for as long as the rest stays infeasible (a deletion filter): what remains cannot be met.
 */
export async function proveInfeasible(problem: Problem, seconds: number): Promise<Contradiction | undefined> {
  const deadline = performance.now() + seconds * 1000;
  const isInfeasible = async (relaxed: Relaxation): Promise<boolean> => {
    const left = (deadline - performance.now()) / 1000;
    if (programSize(problem, undefined, relaxed) > LARGEST_PROGRAM || left <= 0) return false;
    const program = new PlacementProgram(problem, undefined, relaxed);
    const { status } = await solveWithHighs(program.data(), { seconds: left });
    return status === 'infeasible';
  };
  const relaxed: Relaxation = {};
  if (!(await isInfeasible(relaxed))) return undefined;
  for (const { kind } of KINDS) {
    if (await isInfeasible({ ...relaxed, [kind]: true })) relaxed[kind] = true;
  }
  return explain(problem, relaxed);
}

/** The words for a proof that leaves the given kinds out. */
export function explain(problem: Problem, relaxed: Relaxation): Contradiction {
  const needed = KINDS.filter(({ kind }) => !relaxed[kind]).map(({ words }) => words(problem));
  if (needed.length === 0) return 'the paths between the allowed sites leave no placement';
  return `no placement meets ${needed.length > 1 ? 'together ' : ''}${needed.join('; and ')}`;
}

function packingWords({ operatorIds, siteIds }: Problem, unit: string): string {
  return `the ${operatorIds.length} operators, each whole at a site where it may run, do not fit into the ${unit} of the ${siteIds.length} sites`;
}

function bandwidthWords({ paths, siteIds }: Problem): string {
  const limited = paths.links.filter(({ bandwidthMbps }) => bandwidthMbps !== Number.POSITIVE_INFINITY);
  const names = limited.map(({ from, to }) => `${siteIds[from]} -> ${siteIds[to]}`);
  return `bandwidth: the streams do not fit into the links (${listed(names)})`;
}
