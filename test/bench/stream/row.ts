/** One line of the table: what was measured, and what it must reach. */
export interface Row {
  what: string;
  value: number;
  unit: string;
  /** What it is compared with, measured in the same run: in the same unit. */
  peer?: { name: string; value: number };
  bar?: { atLeast: number } | { atMost: number };
}

export interface StreamCase {
  name: string;
  run(quick: boolean): Promise<Row[]>;
}

export function isMet({ value, bar }: Row): boolean {
  if (!bar) return true;
  return 'atLeast' in bar ? value >= bar.atLeast : value <= bar.atMost;
}

export function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** CPU-seconds of this process, all threads. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
