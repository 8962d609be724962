import { formatSize } from '../../base';
import type { Decision, Move } from './decide';

/** A decision in plain words, a line for each move; one line when everything stays. */
export function explain({ moves, wanted }: Decision): string[] {
  if (moves.length > 0) return moves.map(explainMove);
  if (wanted === 0) return ['everything stays: no better place was found'];
  return ['everything stays: moving would gain less than it costs'];
}

function explainMove({ operator, from, to, isForced, saves }: Move): string {
  if (from === undefined) return `${operator} placed at ${to}`;
  if (isForced) return `${operator} moved to ${to}: it cannot stay at ${from}`;
  const { latencyMs, bytesPerSecond } = saves;
  const amounts = [
    { amount: latencyMs, text: `${round(Math.abs(latencyMs))} ms`, least: 0.05 },
    { amount: bytesPerSecond, text: `${formatSize(Math.abs(bytesPerSecond))}/s`, least: 1 },
  ];
  const gains = amounts.filter(({ amount, least }) => amount >= least).map(({ text }) => text);
  const losses = amounts.filter(({ amount, least }) => amount <= -least).map(({ text }) => text);
  const parts = [
    ...(gains.length > 0 ? [`saves ${gains.join(' and ')}`] : []),
    ...(losses.length > 0 ? [`costs ${losses.join(' and ')}`] : []),
  ];
  // Nearer or cheaper cores, or the first half of a step that pays as a whole.
  const words = gains.length === 0 ? ['makes a better placement of all', ...parts] : parts;
  return `${operator} moved to ${to}: ${words.join(', ')}`;
}

function round(value: number): string {
  return value >= 10 ? `${Math.round(value)}` : `${Number(value.toFixed(1))}`;
}
