import type { Check } from '../doctor/check';
import { alignment, fileSystem, trim } from './flash';
import { logWrites } from './log-writes';
import { swappiness } from './swappiness';

export { type ApplyOptions, applyFixes, type Undone, undoFixes } from './apply';
export { recordPath } from './record';
export { SYSCTL_FILE } from './swappiness';

/** What makes a difference on small machines. */
export const TUNING_CHECKS: Check[] = [swappiness, alignment, fileSystem, trim, logWrites];
