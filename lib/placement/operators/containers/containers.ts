import type { ContainerEngine, ContainerSpec } from '../../../container';

/** The containers of this host, as operators need them. */
export interface HostContainers {
  engine(): Promise<
    Pick<
      ContainerEngine,
      | 'get'
      | 'input'
      | 'labels'
      | 'list'
      | 'logs'
      | 'remove'
      | 'removeVolume'
      | 'start'
      | 'stats'
      | 'volumes'
      | 'watch'
    >
  >;
  /** Checks the spec and brings its image. */
  prepare(spec: ContainerSpec, options: { signal?: AbortSignal | undefined }): Promise<void>;
  deploy(spec: ContainerSpec, options: { signal?: AbortSignal | undefined }): Promise<unknown>;
  /**
   * Moves it with its processes where both hosts can do that, else with its files alone.
   *
   * @throws when it has stayed
   */
  migrate(container: string, peerId: string): Promise<void>;
}
