import { formatSize, type GaruaError, type Progress } from '../base';

/** Prints one JSON document. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Prints rows under a header, columns aligned. */
export function printTable(header: string[], rows: string[][]): void {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  for (const row of [header, ...rows]) {
    const line = row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ');
    process.stdout.write(`${line.trimEnd()}\n`);
  }
}

/** As `printTable`; the first `columns` cells are left out where they are as in the row above. */
export function printGroupedTable(header: string[], columns: number, rows: string[][]): void {
  const group = (row: string[] | undefined) => JSON.stringify(row?.slice(0, columns));
  printTable(
    header,
    rows.map((row, index) =>
      group(row) === group(rows[index - 1])
        ? [...Array<string>(columns).fill(''), ...row.slice(columns)]
        : row,
    ),
  );
}

/** `here` is 0: this host itself. */
export function formatRoundTrip(milliseconds: number | null): string {
  if (milliseconds === null) return '-';
  return milliseconds === 0 ? 'here' : `${milliseconds.toFixed(1)} ms`;
}

/** The contract's two lines. */
export function printError(error: GaruaError): void {
  process.stderr.write(`error ${error.code}: ${oneLine(error.message)}\nhint: ${oneLine(error.hint)}\n`);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}

const BAR_WIDTH = 30;

/** A progress bar on stderr; silent where stderr is no terminal. */
export class ProgressBar {
  readonly #enabled = process.stderr.isTTY === true;
  #shown = false;

  readonly update = ({ phase, done, total, unit }: Progress): void => {
    if (!this.#enabled) return;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(share * BAR_WIDTH);
    const bar = '#'.repeat(filled) + '-'.repeat(BAR_WIDTH - filled);
    const [has, all] =
      unit === 'bytes' ? [formatSize(done), formatSize(total)] : [`${done}`, `${total} ${unit}`];
    const amount = total > 0 ? ` [${bar}] ${Math.floor(share * 100)}%  ${has} of ${all}` : '';
    process.stderr.write(`\r\x1b[K${phase}${amount}`);
    this.#shown = true;
  };

  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
    this.#shown = false;
  }
}

/** Runs a long call under a progress bar. */
export async function withProgressBar<T>(
  work: (onProgress: ProgressBar['update']) => Promise<T>,
): Promise<T> {
  const bar = new ProgressBar();
  try {
    return await work(bar.update);
  } finally {
    bar.clear();
  }
}

/** `3 minutes ago`, for tables. */
export function formatAge(milliseconds: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - milliseconds) / 1000));
  const steps: [number, string][] = [
    [86_400, 'day'],
    [3_600, 'hour'],
    [60, 'minute'],
  ];
  for (const [size, unit] of steps) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
  }
  return `${seconds} second${seconds === 1 ? '' : 's'} ago`;
}
