import { defaultDataDirectory, throwIfAborted } from '../../base';
import { type ChangeableMachine, thisMachine } from '../machine';
import type { Check, CheckContext, CheckResult, Examination, Finding } from './check';
import { CHECKS } from './checks';

export type { CheckArea, CheckResult, Examination, Finding, Fixed } from './check';

export interface ExamineOptions {
  dataDirectory?: string | undefined;
  machine?: ChangeableMachine | undefined;
  /** Also try out what takes some seconds (CRIU), unless that was done already. Default false. */
  thorough?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** Longer than the slowest check's own limit, in milliseconds: nothing may hang a doctor. */
const PATIENCE = 40_000;

/** Looks at everything a host needs. Changes nothing of the system, and needs no rights. */
export async function examine(options: ExamineOptions = {}): Promise<Examination> {
  const findings = await findAll(options);
  return { checks: findings.map(({ mend: _mend, ...result }): CheckResult => result) };
}

/** As `examine`, with what can be mended. */
export async function findAll(options: ExamineOptions = {}): Promise<Finding[]> {
  const { dataDirectory = defaultDataDirectory(), machine = thisMachine, thorough = false, signal } = options;
  throwIfAborted(signal, 'the examination');
  const context: CheckContext = { machine, dataDirectory, thorough, signal };
  const found = await Promise.all(CHECKS.map((check) => withPatience(check, context)));
  throwIfAborted(signal, 'the examination');
  return found.flat();
}

/** A check that never answers, as on a dead network mount, or fails, is a warning itself. */
async function withPatience(check: Check, context: CheckContext): Promise<Finding[]> {
  const { id, area, why } = check;
  const unknown = (detail: string): Finding[] => [
    { id, status: 'warn', area, detail: `cannot tell: ${detail}`, why, fix: 'Look at it by hand.' },
  ];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => resolve(unknown('it did not answer in time')), PATIENCE);
    timer.unref();
  });
  const looking = check.look(context).then(
    (outcome): Finding[] => (outcome ? [{ id, ...outcome, area, why }] : []),
    (error) => unknown((error as Error).message),
  );
  try {
    return await Promise.race([looking, late]);
  } finally {
    clearTimeout(timer);
  }
}
