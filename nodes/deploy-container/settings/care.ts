import { InvalidArgumentError } from '../../../lib/base';
import type { Probe, RestartPolicy } from '../../../lib/container';
import type { DeployContainerDef } from './definition';
import { millisecondsOf, numberOf, oneOf, present, textOf } from './values';
import { commandWords } from './words';

const QUESTIONS = ['http', 'tcp', 'exec'] as const;
const POLICIES = ['no', 'on-failure', 'always', 'unless-stopped'] as const;

/** @throws {InvalidArgumentError} */
export function probeOf(definition: DeployContainerDef, kind: 'liveness' | 'readiness'): Probe | undefined {
  const question = oneOf(`${kind} probe`, QUESTIONS, definition[kind]);
  if (!question) return undefined;
  const target = textOf(definition[`${kind}Target`]);
  if (target === undefined) {
    throw new InvalidArgumentError(
      `the ${kind} probe has nothing to ask`,
      'Give it a URL, a port or a command.',
    );
  }
  return present<Probe>({
    ...asked(question, target),
    intervalMs: millisecondsOf(`the ${kind} interval`, definition[`${kind}Interval`]),
    timeoutMs: millisecondsOf(`the ${kind} time-out`, definition[`${kind}Timeout`]),
    failureThreshold: numberOf(`the number of ${kind} failures`, definition[`${kind}Failures`]),
    startPeriodMs: millisecondsOf(`the ${kind} start period`, definition[`${kind}StartPeriod`]),
  });
}

function asked(question: (typeof QUESTIONS)[number], target: string): Probe {
  if (question === 'exec') return { exec: commandWords(target) };
  if (question === 'tcp') return { tcp: /^\d+$/.test(target) ? Number(target) : target };
  // A bare port or path means the container itself, as in a browser's address line.
  if (/^:\d+/.test(target)) return { http: `http://${target}` };
  return { http: target };
}

/** @throws {InvalidArgumentError} */
export function restartOf({ restart, restartRetries }: DeployContainerDef): RestartPolicy | undefined {
  const policy = oneOf('restart policy', POLICIES, restart);
  if (policy === undefined || policy === 'no') return undefined;
  const retries = policy === 'on-failure' ? numberOf('the number of retries', restartRetries) : undefined;
  return present<RestartPolicy>({ policy, maximumRetries: retries });
}
