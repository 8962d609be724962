import type { Progress } from '../../lib/base';
import type { MigrationProgress } from '../../lib/host';
import type { Translate } from '../feedback';

const MAXIMUM_LENGTH = 19;

/** The phase and how far it is; while memory goes ahead also the round and how long the container would stand still. */
export function progressText(progress: MigrationProgress, translate: Translate): string {
  const { phase, round, estimatedDowntimeMs } = progress;
  const key = `migrate.phase.${phase}`;
  const word = translate(key);
  // Node-RED answers an unknown key with the key.
  const name = word.endsWith(key) ? phase : word;
  const facts = [share(progress)];
  if (round !== undefined && round > 1) facts.push(translate('migrate.text.round', { round }));
  if (estimatedDowntimeMs !== undefined) facts.push(shortTime(estimatedDowntimeMs));
  const rest = facts.map((fact) => fact && ` ${fact}`).join('');
  return (name.slice(0, MAXIMUM_LENGTH - rest.length) + rest).slice(0, MAXIMUM_LENGTH);
}

/** A percentage, where the whole is known. */
function share({ done, total, unit }: Progress): string {
  return total > 0 && unit !== 'steps' ? `${Math.min(100, Math.floor((done / total) * 100))}%` : '';
}

/** Four characters or less. */
function shortTime(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 0.1) return '0.1s';
  return seconds < 10 ? `${seconds.toFixed(1)}s` : `${Math.min(999, Math.round(seconds))}s`;
}
