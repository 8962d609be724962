import type { Journal } from '../base';
import type { Changes } from './changes';
import type { PublishedPort } from './container';
import type { Lifecycle } from './lifecycle';
import type { ContainerPaths } from './paths';
import type { Prober } from './probe/prober';
import type { Runtime } from './runtime/runtime';
import type { Supervisor } from './supervisor';
import type { ContainerRow, ContainerTable } from './table';

/** What the engine's operations work with. */
export interface EngineParts {
  readonly paths: ContainerPaths;
  readonly table: ContainerTable;
  readonly journal: Journal;
  readonly changes: Changes<ContainerRow>;
  readonly runtime: Runtime;
  readonly lifecycle: Lifecycle;
  readonly supervisor: Supervisor;
  readonly prober: Prober;
  /** Containers that publish ports take turns from the look at who has them until they have them. */
  atPorts<T>(publishes: boolean, work: () => Promise<T>): Promise<T>;
  /** Makes sure that a container of this name can have the ports. @throws {PortTakenError} {InvalidArgumentError} */
  claimPorts(name: string, ports: Required<PublishedPort>[]): Promise<void>;
}

/** Journal kinds of this module, and the steps of each. */
export const JOURNAL = {
  /** A new container is made; `switch`: the old one of that name may have been stopped for it. */
  deploy: { kind: 'container-deploy', prepare: 'prepare', switch: 'switch' },
  /** A stopped container is started. */
  start: { kind: 'container-start', begin: 'begin' },
  /** A container is removed; from here on it only goes forward. */
  discard: { kind: 'container-discard', begin: 'begin' },
  /** A container is being ended for its liveness probe; it is not its own wish. */
  unhealthy: { kind: 'container-unhealthy', begin: 'begin' },
  /** The index was lost: what it said is read from the containers' folders before anything else is done. */
  lost: { kind: 'container-lost', begin: 'begin' },
} as const;

export interface JournalData {
  id: string;
}
