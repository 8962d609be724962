import { EventEmitter, on } from 'node:events';
import { type Database, DataDirectory, openDatabase } from '../../../lib/base';
import { ContainerNotFoundError, type ContainerStatus } from '../../../lib/container';
import { PeerGate } from '../../../lib/host/peers';
import { HostServices } from '../../../lib/host/services';
import { FogMesh } from '../../../lib/mesh';

/** Stands where a container engine does; its containers are programs of the test that listen on this machine. */
export class Programs {
  readonly #states = new Map<string, ContainerStatus>();
  readonly #changes = new EventEmitter();

  /** The container is there, and what its probe says of it. */
  set(name: string, service: string, port: number, health: ContainerStatus['health'] = 'none'): void {
    const status = { name, state: 'running', service: { name: service, port }, address: null, health };
    this.#states.set(name, status as ContainerStatus);
    this.#changes.emit('change', status);
  }

  remove(name: string): void {
    const status = this.#states.get(name);
    this.#states.delete(name);
    this.#changes.emit('change', { ...status, state: 'removed' });
  }

  list = async () => [...this.#states.values()];

  get = async (name: string) => {
    const status = this.#states.get(name);
    if (!status) throw new ContainerNotFoundError(name);
    return status;
  };

  watch = () => {
    const changes = on(this.#changes, 'change');
    return (async function* () {
      for await (const [status] of changes) yield status as ContainerStatus;
    })();
  };
}

/** One host of a fog, as far as services go. */
export class ServiceHost {
  readonly programs = new Programs();
  readonly directory: DataDirectory;
  mesh!: FogMesh;
  services!: HostServices;
  #database!: Database;

  constructor(
    readonly name: string,
    folder: string,
  ) {
    this.directory = new DataDirectory(folder);
  }

  async open(): Promise<this> {
    const { name, directory } = this;
    this.directory.acquire();
    this.#database = openDatabase(directory.join('garua.db'));
    const peers = new PeerGate(directory);
    this.services = new HostServices({ database: this.#database, peers, name, site: 'here' });
    await this.services.start();
    await this.services.follow(this.programs);
    this.mesh = await FogMesh.open({
      ...{ directory, database: this.#database, name, site: 'here', mdns: false },
      listen: ['/ip4/127.0.0.1/tcp/0'],
    });
    this.services.attach(this.mesh);
    return this;
  }

  async close(): Promise<void> {
    this.services.close();
    await this.mesh.close();
    this.#database.close();
    this.directory.close();
  }

  /** Where the service's instances are ready, by this host: `container@host`, the nearest first. */
  ready(service: string): string {
    const found = this.services.list().find(({ name }) => name === service);
    const instances = found?.instances.filter(({ state }) => state === 'ready') ?? [];
    return instances.map(({ container, host }) => `${container}@${host}`).join(' ');
  }
}
