import { InvalidArgumentError, type LongCall } from '../../base';
import { evaluateSites, scaleOf } from '../model/evaluate';
import { compile, type Problem } from '../model/problem';
import type { Placement, PlacementEvaluation, PlacementModel } from '../placement';
import { place } from '../solve/place';

export interface DecideOptions extends LongCall {
  /** For how long a gain is expected to last. Default 600. */
  horizonSeconds?: number | undefined;
  /** What moving one operator costs: as much as the whole flow as it is now in so many seconds. Default 10. */
  moveSeconds?: number | undefined;
  /** Operators that move at a time, those that must not counted. Default 2. */
  mostMoves?: number | undefined;
  /** The least gain, as a part of the present objective. Default 0.02. */
  hysteresis?: number | undefined;
  seed?: number | undefined;
  /** Placements that the search looks at; by the size of the model when absent. */
  evaluations?: number | undefined;
}

/** One operator gets a site. */
export interface Move {
  operator: string;
  /** Undefined when it ran nowhere. */
  from: string | undefined;
  to: string;
  /** Whether it cannot stay where it is: the site is gone, or it may not run there any more. */
  isForced: boolean;
  /** What the move changes, those before it done: less is better, so savings are positive. */
  saves: { latencyMs: number; bytesPerSecond: number };
}

export interface Decision {
  /** In the order in which they should be done; none means that everything stays. */
  moves: Move[];
  /** Where operators run afterwards. */
  placement: Placement;
  /** Objectives without the cost of moving; before is undefined when something ran nowhere. */
  before: number | undefined;
  after: number;
  /** What the solver would move without a limit. */
  wanted: number;
}

/** Where the first few of many moves do not pay by themselves, a dearer move makes for a plan with fewer. */
const DEARER = [4, 16];

/**
 * Decides which operators move now. The model is solved anew, each move charged with its cost spread over the
 * horizon; of the moves that the solution needs, those that gain most are taken, a few at a time, and only if
 * what they gain exceeds their cost and the hysteresis. What cannot stay moves in any case.
 *
 * @param model with `current`, the placement as it is; its `moveCost` is replaced.
 * @throws {InvalidArgumentError} {PlacementModelError} {PlacementInfeasibleError} {PlacementNotFoundError}
 * @throws {AbortedError} by `signal`.
 */
export async function decide(model: PlacementModel, options: DecideOptions = {}): Promise<Decision> {
  const { horizonSeconds = 600, moveSeconds = 10, mostMoves = 2, hysteresis = 0.02 } = options;
  if (!(horizonSeconds > 0)) throw new InvalidArgumentError(`horizon ${horizonSeconds} s is not above 0`);
  if (!(mostMoves >= 1)) throw new InvalidArgumentError(`${mostMoves} moves at a time are not at least 1`);
  const charged = { ...model, moveCost: (moveSeconds / horizonSeconds) * presentObjective(model) };
  const { seed, evaluations, signal, onProgress } = options;
  const plan = async (price: number) => {
    const dearer = { ...charged, moveCost: charged.moveCost * price };
    const { placement } = await place(dearer, { seed, evaluations, signal, onProgress });
    return new Choice(charged, placement).run(mostMoves, hysteresis);
  };
  let decision = await plan(1);
  for (const price of DEARER) {
    if (decision.moves.length > 0 || decision.wanted <= mostMoves) break;
    decision = await plan(price);
  }
  return decision;
}

/** Picks from the moves that lead to a solution. */
class Choice {
  readonly #problem: Problem;
  readonly #scale: ReturnType<typeof scaleOf>;
  readonly #target: Int32Array;
  /** The placement so far, a move at a time; what runs nowhere is where it will be. */
  readonly #sites: Int32Array;
  readonly #moves: Move[] = [];

  constructor(
    private readonly model: PlacementModel,
    target: Placement,
  ) {
    this.#problem = compile(model);
    this.#scale = scaleOf(this.#problem);
    const { operatorIds, siteIds, current } = this.#problem;
    this.#target = Int32Array.from(operatorIds, (id) => siteIds.indexOf(target[id]!));
    this.#sites = current.map((site, operator) => (site < 0 ? this.#target[operator]! : site));
  }

  run(mostMoves: number, hysteresis: number): Decision {
    const { operatorIds } = this.#problem;
    const wanted = [...operatorIds.keys()].filter(
      (operator) => this.#from(operator) !== this.#target[operator],
    );
    const forced = wanted.filter((operator) => this.#mustMove(operator));
    for (const operator of forced) this.#apply(operator, true);
    const start = this.#evaluate();
    const before = forced.length === 0 ? this.#withoutMoves(start) : undefined;
    const kept = this.#improve(wanted, mostMoves - forced.length, start, hysteresis);
    const rest = this.#moves.splice(forced.length + kept);
    for (const { operator } of rest) this.#revert(operator);
    return {
      moves: this.#moves,
      placement: this.#placement(),
      before,
      after: this.#withoutMoves(this.#evaluate()),
      wanted: wanted.length,
    };
  }

  /**
   * Applies the best move, and the best after it, and so on.
   * @returns how many of them to keep: those up to where the objective, the moves paid, is best.
   */
  #improve(wanted: number[], most: number, start: PlacementEvaluation, hysteresis: number): number {
    const open = new Set(wanted.filter((operator) => this.#sites[operator] !== this.#target[operator]));
    let kept = 0;
    let best = start;
    for (let done = 1; done <= most && open.size > 0; done += 1) {
      const next = [...open].map((operator) => ({ operator, evaluation: this.#evaluate(operator) }));
      next.sort((a, b) => compare(a.evaluation, b.evaluation));
      const { operator, evaluation } = next[0]!;
      open.delete(operator);
      this.#apply(operator, false);
      if (compare(evaluation, best) >= 0) continue;
      best = evaluation;
      kept = done;
    }
    const isRepaired = best.violations.length < start.violations.length;
    return isRepaired || best.objective <= start.objective * (1 - hysteresis) ? kept : 0;
  }

  #apply(operator: number, isForced: boolean): void {
    const before = this.#figures();
    const { operatorIds, siteIds } = this.#problem;
    this.#sites[operator] = this.#target[operator]!;
    const after = this.#figures();
    this.#moves.push({
      operator: operatorIds[operator]!,
      from: this.model.current?.[operatorIds[operator]!],
      to: siteIds[this.#target[operator]!]!,
      isForced,
      saves: {
        latencyMs: before.latencyMs - after.latencyMs,
        bytesPerSecond: before.bytesPerSecond - after.bytesPerSecond,
      },
    });
  }

  #revert(id: string): void {
    const operator = this.#problem.operatorIds.indexOf(id);
    this.#sites[operator] = this.#problem.current[operator]!;
  }

  #from(operator: number): number {
    return this.#problem.current[operator]!;
  }

  #mustMove(operator: number): boolean {
    const from = this.#from(operator);
    return from < 0 || !this.#problem.candidates[operator]!.includes(from);
  }

  /** The placement as it is, or with one operator moved. */
  #evaluate(moved?: number): PlacementEvaluation {
    const sites = this.#sites;
    if (moved === undefined) return evaluateSites(this.#problem, this.#scale, sites);
    const from = sites[moved]!;
    sites[moved] = this.#target[moved]!;
    const evaluation = evaluateSites(this.#problem, this.#scale, sites);
    sites[moved] = from;
    return evaluation;
  }

  #withoutMoves({ objective, moves }: PlacementEvaluation): number {
    return objective - this.#scale.moves * moves;
  }

  /** For people: the longest path, and the bytes that leave a site. */
  #figures(): Move['saves'] {
    const { streamFrom, streamTo, streamBytes } = this.#problem;
    const sites = this.#sites;
    let bytesPerSecond = 0;
    for (let stream = 0; stream < streamFrom.length; stream += 1) {
      if (sites[streamFrom[stream]!] !== sites[streamTo[stream]!]) bytesPerSecond += streamBytes[stream]!;
    }
    return { latencyMs: this.#evaluate().responseTimeMs, bytesPerSecond };
  }

  #placement(): Placement {
    const { modelOrder, operatorIds, siteIds } = this.#problem;
    return Object.fromEntries(
      modelOrder.map((operator) => [operatorIds[operator]!, siteIds[this.#sites[operator]!]!]),
    );
  }
}

/** Without the cost of moving; 1, which the objective is normalised to, while something runs nowhere. */
function presentObjective(model: PlacementModel): number {
  const problem = compile(model);
  if (problem.current.some((site) => site < 0)) return 1;
  const { objective } = evaluateSites(problem, { ...scaleOf(problem), moves: 0 }, problem.current);
  return Number.isFinite(objective) ? objective : 1;
}

/** What breaks fewer constraints is better, then what costs less. */
function compare(a: PlacementEvaluation, b: PlacementEvaluation): number {
  return a.violations.length - b.violations.length || a.objective - b.objective;
}
