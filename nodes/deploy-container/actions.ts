import type { LongCall } from '../../lib/base';
import type { ContainerStatus } from '../../lib/container';
import type { Host, ScaleResult } from '../../lib/host';
import type { PullResult } from '../../lib/image';
import type { RegistryAccess } from '../fog-host/registries';
import type { Action, DeployRequest } from './settings';

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
  /** Where its instances run, when it was scaled. */
  scale?: ScaleResult;
  /** Log lines up to this time (ISO 8601) are of an earlier life; absent when there was none. */
  logsSince?: string;
}

export interface ActionOptions extends LongCall {
  access: RegistryAccess;
  /** Whether it has instances on other hosts. */
  isScaled: boolean;
}

/** Does one action on a host. `request` is what a deploy needs. @throws {GaruaError} */
export async function perform(
  action: Exclude<Action, Question>,
  host: Host,
  name: string,
  request: DeployRequest | undefined,
  options: ActionOptions,
): Promise<Outcome> {
  const { signal, onProgress, access, isScaled } = options;
  const logsSince = new Date().toISOString();
  switch (action) {
    case 'deploy': {
      const { spec, policy, scale = isScaled ? { replicas: 1 } : undefined } = request!;
      const { outcome, container, pull } = await host.deploy(spec, {
        signal,
        onProgress,
        policy,
        ...access,
      });
      const scaled = scale && (await host.scale(name, { signal, onProgress, ...scale }));
      return {
        container,
        ...(pull ? { pull } : {}),
        ...(outcome === 'unchanged' ? { logsSince } : {}),
        ...(scaled ? { scale: scaled } : {}),
      };
    }
    case 'stop':
      return { container: await host.stop(name, { signal, onProgress }), logsSince };
    case 'start':
      return { container: await host.start(name, { signal, onProgress }), logsSince };
    case 'restart':
      await host.stop(name, { signal, onProgress });
      return { container: await host.start(name, { signal, onProgress }), logsSince };
    case 'remove':
      if (isScaled) await host.scale(name, { signal, onProgress, replicas: 0 });
      else await host.remove(name, { signal, onProgress, force: true });
      return {};
  }
}
