import type { PlacedOperator } from '../flow';
import type { OperatorFigures } from './observe';
import type { OperatorRecord } from './records';

/** Of their share of a core, what instances use before there is another one, and below which there is one less. */
const BUSY = 0.8;
const IDLE = 0.3;
/** Messages that wait before their growth counts: fewer are on their way. */
const QUEUE = 500;
/** Looks in a row that must say the same. */
const LOOKS_UP = 2;
const LOOKS_DOWN = 6;

/** Decides how many instances a keyed operator has, by handler time and by what waits for it. */
export class Autoscale {
  /** Above 0: looks that wanted more; below: that wanted fewer. */
  #trend = 0;

  /** @returns the number of instances there should be */
  next(operator: PlacedOperator, record: OperatorRecord, figures: OperatorFigures | undefined): number {
    const { wanted } = record;
    const { least, most } = operator.instances;
    if (!operator.keyed || record.isScaledByHand || figures?.cores == null) return wanted;
    const load = figures.cores / (wanted * operator.cpu);
    const isGrowing = figures.waiting > QUEUE && figures.waiting > figures.waitedBefore;
    // One less must not be busy at once.
    const wouldBe = wanted > 1 ? figures.cores / ((wanted - 1) * operator.cpu) : Number.POSITIVE_INFINITY;
    if ((load > BUSY || isGrowing) && wanted < most) this.#trend = Math.max(1, this.#trend + 1);
    else if (wouldBe < BUSY && load < IDLE && figures.waiting < QUEUE && wanted > least)
      this.#trend = Math.min(-1, this.#trend - 1);
    else this.#trend = 0;
    if (this.#trend < LOOKS_UP && this.#trend > -LOOKS_DOWN) return wanted;
    const step = Math.sign(this.#trend);
    this.#trend = 0;
    return wanted + step;
  }
}
