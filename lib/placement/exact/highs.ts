import loadHighs from 'highs';
import type { LinearProgramData } from './linear-program';

export interface HighsAnswer {
  /** `limit`: neither proven. */
  status: 'optimal' | 'infeasible' | 'limit';
  /** The best solution found. */
  columns: Float64Array | undefined;
  /** No solution is better than this. */
  bound: number;
}

export interface HighsOptions {
  seconds: number;
  /** Some columns' values, which HiGHS completes to a first solution. */
  start?: { indices: number[]; values: number[] } | undefined;
}

/** What HiGHS may call an optimum: the gap to the bound, and how far rows and whole numbers may be off. */
const GAP = 1e-9;
const PRECISION = 1e-9;

/** Minimises with HiGHS. Blocks the thread until done or out of time: for worker threads. */
export async function solveWithHighs(data: LinearProgramData, options: HighsOptions): Promise<HighsAnswer> {
  const highs = await loadHighs();
  const { modelStatus, variableType } = highs.constants;
  const integrality = Array.from(data.integrality, (isInteger) =>
    isInteger ? variableType.integer : variableType.continuous,
  );
  const model = highs.createModel({ ...data, integrality });
  try {
    model.options.set({
      output_flag: false,
      time_limit: options.seconds,
      mip_rel_gap: GAP,
      mip_abs_gap: GAP,
      mip_feasibility_tolerance: PRECISION,
      primal_feasibility_tolerance: PRECISION,
    });
    if (options.start && options.start.indices.length > 0) model.setSolution(options.start);
    const { modelStatus: status } = model.run();
    if (status === modelStatus.infeasible) {
      return { status: 'infeasible', columns: undefined, bound: Number.POSITIVE_INFINITY };
    }
    const isOptimal = status === modelStatus.optimal;
    const hasSolution = model.info.get('primal_solution_status') === 2;
    const columns = hasSolution ? model.getSolution().colValue : undefined;
    // Without a column that must be whole, HiGHS solves a linear program and knows no such bound.
    const isMixed = data.integrality.includes(1);
    const bound = isMixed
      ? Number(model.info.get('mip_dual_bound'))
      : isOptimal
        ? model.getObjectiveValue()
        : Number.NEGATIVE_INFINITY;
    return { status: isOptimal ? 'optimal' : 'limit', columns, bound };
  } finally {
    model.dispose();
  }
}
