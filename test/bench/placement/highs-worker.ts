/** HiGHS alone, without a start from annealing: what `garua place` is measured against. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PlacementModel } from '../../../lib/placement';
import { solveWithHighs } from '../../../lib/placement/exact/highs';
import { PlacementProgram } from '../../../lib/placement/exact/placement-program';
import { evaluateSites, scaleOf } from '../../../lib/placement/model/evaluate';
import { narrow } from '../../../lib/placement/model/feasibility';
import { compile } from '../../../lib/placement/model/problem';

export interface HighsTask {
  model: PlacementModel;
  seconds: number;
}

export interface HighsResult {
  /** Undefined when HiGHS found nothing. */
  objective: number | undefined;
  isOptimal: boolean;
  seconds: number;
}

async function main({ model, seconds }: HighsTask): Promise<HighsResult> {
  const problem = narrow(compile(model));
  if (typeof problem === 'string') throw new Error(problem);
  const scale = scaleOf(problem);
  const program = new PlacementProgram(problem, scale);
  const begin = performance.now();
  const { status, columns } = await solveWithHighs(program.data(), { seconds });
  const found = columns && evaluateSites(problem, scale, program.sites(columns));
  return {
    objective: found?.feasible ? found.objective : undefined,
    isOptimal: status === 'optimal',
    seconds: (performance.now() - begin) / 1000,
  };
}

main(workerData as HighsTask).then((result) => parentPort!.postMessage(result));
