import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { bestPeer, medianOf } from './bars';
import { type Bar, type CaseResult, type FactsResult, isMet, type PullRow, type PullsResult } from './result';
import { formatNumber, median } from './statistics';

/** All results as Markdown: the bars first, then a table per case. */
export function toMarkdown(results: CaseResult[]): string {
  const bars = results.flatMap((result) => result.bars);
  const parts = [`# Benchmark\n\n${describeMachine()}`];
  if (bars.length) parts.push(barTable(bars));
  for (const result of results) parts.push(result.kind === 'pulls' ? pullTable(result) : factTable(result));
  return `${parts.join('\n\n')}\n`;
}

function barTable(bars: Bar[]): string {
  const rows = bars.map((bar) => [
    bar.claim,
    `${formatNumber(bar.value)} ${bar.unit}`,
    `at most ${bar.limit} ${bar.unit}`,
    isMet(bar) ? 'yes' : '**no**',
  ]);
  return `## Bars\n\n${table(['bar', 'reached', 'limit', 'met'], rows)}`;
}

function pullTable(result: PullsResult): string {
  const { image, rows, baseline } = result;
  const reference = medianOf(rows, baseline);
  const peer = bestPeer(rows);
  const docker = medianOf(rows, 'docker');
  const headers = ['puller', 'median', 'min - max', `/ ${baseline}`];
  if (docker !== undefined) headers.push('/ docker');
  if (peer !== undefined) headers.push('/ best peer');
  headers.push('on disk after', 'runs');
  const body = rows.map((row) => {
    const name = row.version ? `${row.puller} ${row.version}` : row.puller;
    if (row.samples.length === 0) return [name, row.problem ?? '-', ...headers.slice(2).map(() => '')];
    const seconds = row.samples.map((sample) => sample.seconds);
    const time = median(seconds);
    const cells = [name, `${formatNumber(time)} s`, range(seconds), ratio(time, reference)];
    if (docker !== undefined) cells.push(ratio(time, docker));
    if (peer !== undefined) cells.push(ratio(time, peer));
    return [...cells, durable(row), `${seconds.length}${row.problem ? `, then ${row.problem}` : ''}`];
  });
  const size = `${megabytes(image.compressed)} compressed, ${megabytes(image.unpacked)} unpacked`;
  const layers = `${image.layers} layer${image.layers === 1 ? '' : 's'}`;
  const lead = `${layers}, ${size}; link ${result.link}; data-root on ${result.storage}; ${result.date}`;
  return `## ${result.title}\n\n${lead}\n\n${table(headers, body)}`;
}

function factTable(result: FactsResult): string {
  const rows = result.facts.map(({ what, value, unit, note }) => [
    what,
    Number.isNaN(value) || value === null ? '-' : `${formatNumber(value)} ${unit}`,
    note ?? '',
  ]);
  return `## ${result.title}\n\n${result.date}\n\n${table(['what', 'value', 'note'], rows)}`;
}

function table(headers: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  return [line(headers), line(headers.map(() => '---')), ...rows.map(line)].join('\n');
}

function durable(row: PullRow): string {
  // The wire writes nothing, so there is nothing to wait for.
  if (row.puller.startsWith('wire')) return '';
  return `${formatNumber(median(row.samples.map(({ durableSeconds }) => durableSeconds)))} s`;
}

function ratio(time: number, reference: number | undefined): string {
  return reference === undefined ? '-' : (time / reference).toFixed(2);
}

function range(values: number[]): string {
  return `${formatNumber(Math.min(...values))} - ${formatNumber(Math.max(...values))}`;
}

function megabytes(bytes: number): string {
  return `${formatNumber(bytes / 1e6)} MB`;
}

function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? process.arch;
  const system = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cpus().length} x ${model}, ${memory}, ${system}, Linux ${release()}, Node ${process.versions.node}`;
}
