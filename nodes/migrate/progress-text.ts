import type { Progress } from '../../lib/base';
import type { Translate } from '../fog-messages';

const MAXIMUM_LENGTH = 19;

/** The phase, and how far it is: a percentage, or a number of its own where the whole is not known. */
export function progressText({ phase, done, total, unit }: Progress, translate: Translate): string {
  const key = `migrate.phase.${phase}`;
  const word = translate(key);
  // Node-RED answers an unknown key with the key.
  const name = word.endsWith(key) ? phase : word;
  const share = total > 0 && unit !== 'steps' ? ` ${Math.min(100, Math.floor((done / total) * 100))}%` : '';
  return name.slice(0, MAXIMUM_LENGTH - share.length) + share;
}
