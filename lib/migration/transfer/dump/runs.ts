/** Pages of a dump file in a row: zeros, pages kept from number `known` on, or new ones that come along. */
export type PageRun = { zero: number } | { known: number; count: number } | { fresh: number };

/** Gathers pages into runs. */
export class RunList {
  readonly runs: PageRun[] = [];

  addZero(): void {
    const last = this.runs.at(-1);
    if (last && 'zero' in last) last.zero += 1;
    else this.runs.push({ zero: 1 });
  }

  addKnown(number: number): void {
    const last = this.runs.at(-1);
    if (last && 'known' in last && last.known + last.count === number) last.count += 1;
    else this.runs.push({ known: number, count: 1 });
  }

  addFresh(): void {
    const last = this.runs.at(-1);
    if (last && 'fresh' in last) last.fresh += 1;
    else this.runs.push({ fresh: 1 });
  }
}
