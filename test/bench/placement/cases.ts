/** One row of the benchmark: models of a size, and what is asked of them. */
export interface PlacementCase {
  name: string;
  operators: number;
  sites: number;
  models: number;
  /** Seconds that one placement may take, the start of the process included. */
  withinSeconds: number;
  /** What HiGHS gets for its best; 0: the answer is compared with greedy placement. */
  highsSeconds: number;
  /** Bars in percent above HiGHS's best. */
  bar: { median: number; worst: number };
  /** Also on measured latencies, when they are there. */
  measured: boolean;
  megabytes?: number;
}

/** What counts as the optimum, in percent: the answers differ by rounding only. */
const OPTIMUM = { median: 1e-5, worst: 1e-5 };

export const CASES: PlacementCase[] = [
  {
    name: '10 x 5',
    operators: 10,
    sites: 5,
    models: 10,
    withinSeconds: 1,
    highsSeconds: 120,
    bar: OPTIMUM,
    measured: true,
  },
  {
    name: '20 x 10',
    operators: 20,
    sites: 10,
    models: 10,
    withinSeconds: 5,
    highsSeconds: 120,
    bar: OPTIMUM,
    measured: true,
  },
  {
    name: '50 x 20',
    operators: 50,
    sites: 20,
    models: 10,
    withinSeconds: 5,
    highsSeconds: 120,
    bar: { median: 2, worst: 5 },
    measured: true,
  },
  {
    name: '100 x 50',
    operators: 100,
    sites: 50,
    models: 1,
    withinSeconds: 10,
    highsSeconds: 600,
    bar: { median: 0, worst: 0 },
    measured: false,
  },
  {
    name: '1000 x 200',
    operators: 1000,
    sites: 200,
    models: 1,
    withinSeconds: 30,
    highsSeconds: 0,
    bar: { median: 0, worst: 0 },
    measured: false,
    megabytes: 500,
  },
];
