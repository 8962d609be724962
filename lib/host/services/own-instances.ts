import type { ContainerEngine, ContainerStatus } from '../../container';
import type { Announced } from './service';

export interface OwnInstance extends Announced {
  /** Where its port is reached from this host. */
  address: string;
  port: number;
}

/** The instances that run on this host, as the container engine tells. */
export class OwnInstances {
  readonly #instances = new Map<string, OwnInstance>();
  readonly #draining = new Set<string>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  all(): OwnInstance[] {
    return [...this.#instances.values()].map((instance) => this.#seen(instance));
  }

  find(service: string, container: string): OwnInstance | undefined {
    const instance = this.#instances.get(container);
    return instance?.service === service ? this.#seen(instance) : undefined;
  }

  /** Whether it is to get no new connections although it may be ready. */
  drain(container: string, isDraining: boolean): void {
    if (isDraining) this.#draining.add(container);
    else this.#draining.delete(container);
    this.#onChange();
  }

  #seen(instance: OwnInstance): OwnInstance {
    return this.#draining.has(instance.container) ? { ...instance, ready: false } : instance;
  }

  /** Knows the engine's containers once it resolves, and goes on until the engine closes. */
  async follow(engine: Pick<ContainerEngine, 'list' | 'get' | 'watch'>): Promise<void> {
    const changes = engine.watch();
    for (const status of await engine.list()) this.#take(status.name, status);
    void this.#watch(engine, changes);
  }

  async #watch(engine: Pick<ContainerEngine, 'get'>, changes: AsyncIterable<ContainerStatus>): Promise<void> {
    for await (const { name } of changes) {
      // The last word about a container that was replaced may come after the first about its replacement.
      this.#take(name, await engine.get(name).catch(() => undefined));
    }
  }

  #take(name: string, status: ContainerStatus | undefined): void {
    const before = this.#instances.get(name);
    const now = status && instanceOf(status);
    if (now) this.#instances.set(name, now);
    else this.#instances.delete(name);
    if (JSON.stringify(before) !== JSON.stringify(now)) this.#onChange();
  }
}

function instanceOf({ name, state, service, address, health }: ContainerStatus): OwnInstance | undefined {
  if (!service || state !== 'running') return undefined;
  return {
    service: service.name,
    container: name,
    ready: health === 'none' || health === 'healthy',
    // Without an address of its own it has the host's.
    address: address ?? '127.0.0.1',
    port: service.port,
  };
}
