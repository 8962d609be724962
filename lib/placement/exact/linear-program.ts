/** A term of a row: coefficient times column. */
export interface Term {
  column: number;
  value: number;
}

/** A mixed-integer linear program that is to be minimised, as HiGHS takes it: rows in compressed form. */
export interface LinearProgramData {
  numCols: number;
  numRows: number;
  offset: number;
  colCost: Float64Array;
  colLower: Float64Array;
  colUpper: Float64Array;
  rowLower: Float64Array;
  rowUpper: Float64Array;
  matrix: {
    format: 'csr';
    numRows: number;
    numCols: number;
    starts: Int32Array;
    indices: Int32Array;
    values: Float64Array;
  };
  /** 1 where the column takes whole numbers only. */
  integrality: Int32Array;
}

/** Collects columns and rows one by one. */
export class LinearProgram {
  offset = 0;
  readonly #cost: number[] = [];
  readonly #upper: number[] = [];
  readonly #integer: number[] = [];
  readonly #rowLower: number[] = [];
  readonly #rowUpper: number[] = [];
  readonly #starts: number[] = [0];
  readonly #indices: number[] = [];
  readonly #values: number[] = [];

  /** A column from 0 to `upper`; gives its number. */
  column(cost: number, upper: number, isInteger = false): number {
    this.#cost.push(cost);
    this.#upper.push(upper);
    this.#integer.push(Number(isInteger));
    return this.#cost.length - 1;
  }

  addCost(column: number, cost: number): void {
    this.#cost[column]! += cost;
  }

  row(lower: number, terms: Term[], upper: number): void {
    for (const { column, value } of terms) {
      if (value === 0) continue;
      this.#indices.push(column);
      this.#values.push(value);
    }
    this.#starts.push(this.#indices.length);
    this.#rowLower.push(lower);
    this.#rowUpper.push(upper);
  }

  data(): LinearProgramData {
    const numCols = this.#cost.length;
    const numRows = this.#rowLower.length;
    return {
      numCols,
      numRows,
      offset: this.offset,
      colCost: Float64Array.from(this.#cost),
      colLower: new Float64Array(numCols),
      colUpper: Float64Array.from(this.#upper),
      rowLower: Float64Array.from(this.#rowLower),
      rowUpper: Float64Array.from(this.#rowUpper),
      matrix: {
        format: 'csr',
        numRows,
        numCols,
        starts: Int32Array.from(this.#starts),
        indices: Int32Array.from(this.#indices),
        values: Float64Array.from(this.#values),
      },
      integrality: Int32Array.from(this.#integer),
    };
  }
}
