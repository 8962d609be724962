import type { ContainerEngine } from '../../container';
import { type HostContainers, OperatorContainerStayedError } from '../../placement';
import type { HostMigrations } from '../migration';

export interface HostContainersParts {
  engine(): Promise<ContainerEngine>;
  /** Checks it as a deploy does, and brings its image. */
  prepare: HostContainers['prepare'];
  deploy: HostContainers['deploy'];
  migrations: Pick<HostMigrations, 'migrate'>;
}

/** How long a program may take to end where its processes cannot be moved, in ms. */
const GRACE = 3_000;

/** The containers of this host, for its operators. */
export function hostContainers({ engine, prepare, deploy, migrations }: HostContainersParts): HostContainers {
  const move = async (container: string, to: string, mode: 'live' | 'cold') => {
    const result = await migrations.migrate(container, { to, mode, graceMs: GRACE });
    if ('outcome' in result && result.outcome === 'moved') return;
    const why =
      'problems' in result ? result.problems.join('; ') : (result.error?.message ?? 'it was undone');
    throw new OperatorContainerStayedError(container, why);
  };
  return {
    ...{ engine, prepare, deploy },
    async migrate(container, peerId) {
      if (!(await isRunning(await engine(), container))) {
        throw new OperatorContainerStayedError(container, 'it does not run');
      }
      // Where its processes cannot go along its files do.
      await move(container, peerId, 'live').catch(() => move(container, peerId, 'cold'));
    },
  };
}

async function isRunning(engine: ContainerEngine, container: string): Promise<boolean> {
  return (await engine.get(container)).state === 'running';
}
