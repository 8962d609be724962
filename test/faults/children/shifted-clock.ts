/** Preloaded with `-r`: this process's clock goes wrong by GARUA_CLOCK_SHIFT_MS. */
const shift = Number(process.env.GARUA_CLOCK_SHIFT_MS);
const RealDate = Date;

class ShiftedDate extends RealDate {
  constructor(...words: [] | [string | number]) {
    if (words.length === 0) super(ShiftedDate.now());
    else super(...words);
  }

  static override now(): number {
    return RealDate.now() + shift;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
