import type { LongCall } from '../../lib/base';
import type { ContainerSpec, ContainerStatus } from '../../lib/container';
import type { Host } from '../../lib/host';
import type { PullPolicy, PullResult } from '../../lib/image';
import type { RegistryAccess } from '../fog-host/registries';
import type { Action } from './settings';

/** Actions that change nothing. */
export const QUESTIONS = ['status', 'stats'] as const;
export type Question = (typeof QUESTIONS)[number];

export function isQuestion(action: Action): action is Question {
  return (QUESTIONS as readonly Action[]).includes(action);
}

/** What an action led to. */
export interface Outcome {
  /** Absent once the container is removed. */
  container?: ContainerStatus;
  pull?: PullResult;
  /** Log lines up to this time (ISO 8601) are of an earlier life; absent when there was none. */
  logsSince?: string;
}

export interface ActionOptions extends LongCall {
  policy: PullPolicy;
  access: RegistryAccess;
}

/** Does one action on a host. `spec` is what a deploy needs. @throws {GaruaError} */
export async function perform(
  action: Exclude<Action, Question>,
  host: Host,
  name: string,
  spec: ContainerSpec | undefined,
  options: ActionOptions,
): Promise<Outcome> {
  const { signal, onProgress, policy, access } = options;
  const logsSince = new Date().toISOString();
  switch (action) {
    case 'deploy': {
      const { outcome, container, pull } = await host.deploy(spec!, {
        signal,
        onProgress,
        policy,
        ...access,
      });
      return { container, ...(pull ? { pull } : {}), ...(outcome === 'unchanged' ? { logsSince } : {}) };
    }
    case 'stop':
      return { container: await host.stop(name, { signal, onProgress }), logsSince };
    case 'start':
      return { container: await host.start(name, { signal, onProgress }), logsSince };
    case 'restart':
      await host.stop(name, { signal, onProgress });
      return { container: await host.start(name, { signal, onProgress }), logsSince };
    case 'remove':
      await host.remove(name, { signal, onProgress, force: true });
      return {};
  }
}
