import { defaultDataDirectory } from '../../base';
import type { CheckResult, Machine } from './check';
import { checksFor } from './checks';
import { thisMachine } from './this-machine';

export type { Check, CheckResult, Machine } from './check';

/** The document of `garua doctor --json`. */
export interface Examination {
  checks: CheckResult[];
}

/** Looks at everything a host needs. Quick, changes nothing, and needs no rights. */
export function examine(dataDirectory = defaultDataDirectory(), machine: Machine = thisMachine): Examination {
  return { checks: checksFor(dataDirectory).map((check) => check(machine)) };
}
