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

/** The rows in Markdown. */
export function table(rows: Row[]): string {
  const lines = rows.map((row) => {
    const { what, value, unit, peer, bar } = row;
    const limit = !bar ? '' : 'atLeast' in bar ? `at least ${bar.atLeast}` : `at most ${bar.atMost}`;
    const beside = peer
      ? [`${digits(peer.value)}, ${peer.name}`, `${digits(value / peer.value)} x`]
      : ['', ''];
    const met = !bar ? '' : isMet(row) ? 'yes' : '**no**';
    return `| ${[what, `${digits(value)} ${unit}`, ...beside, limit, met].join(' | ')} |`;
  });
  const head = '| what | measured | beside | ratio | bar | met |\n|---|---|---|---|---|---|';
  return [head, ...lines, ''].join('\n');
}

function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 0.1 || value === 0 ? value.toFixed(2) : value.toPrecision(2);
}

export function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** CPU-seconds of this process, all threads. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
