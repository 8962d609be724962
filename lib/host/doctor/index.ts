import { defaultDataDirectory, throwIfAborted } from '../../base';
import type { Examination, Machine } from './check';
import { checksFor } from './checks';
import { thisMachine } from './this-machine';

export type { Check, CheckResult, Examination, Machine } from './check';

export interface ExamineOptions {
  dataDirectory?: string | undefined;
  machine?: Machine | undefined;
  signal?: AbortSignal | undefined;
}

/** Looks at everything a host needs. Changes nothing, and needs no rights. */
export async function examine(options: ExamineOptions = {}): Promise<Examination> {
  const { dataDirectory = defaultDataDirectory(), machine = thisMachine } = options;
  throwIfAborted(options.signal, 'the examination');
  return { checks: checksFor(dataDirectory).map((check) => check(machine)) };
}
