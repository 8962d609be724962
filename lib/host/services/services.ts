import type { Socket } from 'node:net';
import { type Database, InvalidArgumentError, SingleFlight } from '../../base';
import { type ContainerEngine, isServiceName } from '../../container';
import type { ByteStream, CallContext, Mesh, MeshHost } from '../../mesh';
import type { PeerGate } from '../peers';
import { Announcements } from './announcements';
import { Door } from './door';
import { ServicePortTakenError, ServiceUnavailableError } from './errors';
import { type Candidate, forward } from './forward';
import { LocalPorts } from './local-ports';
import { type OwnInstance, OwnInstances } from './own-instances';
import { join, type Pipe } from './pipe';
import type { Announced, ServiceInstance, ServiceStatus } from './service';
import { SocketPipe } from './socket-pipe';
import { Traffic } from './traffic';

const STREAM = 'services.connect';
/** How long an instance may take to accept, in milliseconds. */
const PATIENCE = 3_000;

interface Wanted {
  service: string;
  container: string;
}

/** An instance somewhere, and how to reach it. */
interface Place {
  announced: Announced;
  instance: ServiceInstance;
  open: Candidate['open'];
}

export interface HostServicesOptions {
  database: Database;
  peers: PeerGate;
  /** What this host is called, and its site. */
  name: string;
  site: string;
}

/**
 * Services by name: what containers of this host offer is told to all hosts of the fog, and each service in use
 * here has a local port that leads to its nearest ready instance, wherever that is by then.
 */
export class HostServices {
  readonly #options: HostServicesOptions;
  readonly #ports: LocalPorts;
  readonly #doors = new Map<string, Door>();
  readonly #taking = new SingleFlight<void>();
  readonly #own = new OwnInstances(() => void this.#announcements?.review());
  readonly #traffic = new Traffic();
  #mesh: Mesh | undefined;
  #announcements: Announcements | undefined;

  constructor(options: HostServicesOptions) {
    this.#options = options;
    this.#ports = new LocalPorts(options.database);
  }

  /** Opens the ports of the services in use, each as soon as it is free. */
  async start(): Promise<void> {
    for (const { name, port } of this.#ports.all()) await this.#door(name, port).openInTime();
  }

  /** Offers what the engine's containers offer. */
  follow(engine: Pick<ContainerEngine, 'list' | 'get' | 'watch'>): Promise<void> {
    return this.#own.follow(engine);
  }

  /** Tells the hosts of the fog, and serves them. */
  attach(mesh: Mesh): void {
    this.#mesh = mesh;
    this.#announcements = new Announcements({ mesh, own: () => this.#tellable() });
    mesh.serveStream(STREAM, (wanted: Wanted, stream, context) => this.#serve(wanted, stream, context));
  }

  /** Resolves when the hosts that are up have said what they offer. */
  async settled(): Promise<void> {
    await this.#announcements?.settled();
  }

  /** All services that run somewhere or are in use here, by name. */
  list(): ServiceStatus[] {
    const names = new Set(this.#ports.all().map(({ name }) => name));
    for (const { announced } of this.#places()) names.add(announced.service);
    return [...names].sort().map((name) => this.#status(name));
  }

  /**
   * Gives the service a local port, the same for as long as it is in use. It need not run anywhere yet.
   *
   * @throws {InvalidArgumentError} {ServicePortTakenError}
   */
  async use(name: string): Promise<ServiceStatus> {
    checkServiceName(name);
    const port = this.#ports.get(name);
    if (port === undefined) await this.#taking.run(name, () => this.#takePort(name));
    else {
      await this.#door(name, port)
        .open()
        .catch((cause) => {
          throw new ServicePortTakenError(name, port, { cause });
        });
    }
    return this.#status(name);
  }

  /** Gives the local port back; connections that are open go on. */
  release(name: string): void {
    checkServiceName(name);
    this.#doors.get(name)?.close();
    this.#doors.delete(name);
    this.#ports.forget(name);
  }

  /** Connections that a container of this host is given through service ports: open ones, and those of late. */
  trafficOf(container: string): { open: number; recent: number } {
    return this.#traffic.of(container);
  }

  /**
   * Gives a container of this host no new connections, has the other hosts know it, and waits for those that are
   * open, until the signal fires at the latest. It stays so until the answer is called.
   */
  async drain(container: string, signal: AbortSignal): Promise<() => void> {
    this.#own.drain(container, true);
    await this.#announcements?.settled();
    await this.#traffic.idle(container, signal);
    return () => this.#own.drain(container, false);
  }

  close(): void {
    this.#traffic.close();
    this.#announcements?.close();
    for (const door of this.#doors.values()) door.close({ all: true });
  }

  async #takePort(name: string): Promise<void> {
    let lastError: unknown;
    for (const port of this.#ports.wishes(name)) {
      const door = this.#door(name, port);
      try {
        await door.open();
        this.#ports.keep(name, port);
        return;
      } catch (error) {
        this.#doors.delete(name);
        lastError = error;
      }
    }
    throw lastError;
  }

  #door(name: string, port: number): Door {
    let door = this.#doors.get(name);
    if (!door) {
      door = new Door(port, (socket) => void this.#connect(name, socket));
      this.#doors.set(name, door);
    }
    return door;
  }

  async #connect(name: string, socket: Socket): Promise<void> {
    await forward(new SocketPipe(socket), () =>
      this.#places()
        .filter(({ announced, instance }) => announced.service === name && instance.state === 'ready')
        .map(({ instance: { host, container }, open }) => ({ key: `${host} ${container}`, open })),
    );
  }

  /** Another host passes a connection on to an instance here. */
  async #serve({ service, container }: Wanted, stream: ByteStream, { peerId }: CallContext): Promise<void> {
    await this.#options.peers.check('services', peerId);
    const own = this.#own.find(service, container);
    if (!own?.ready) {
      throw new ServiceUnavailableError(service, container, own ? 'it is not ready' : 'it does not run here');
    }
    await join(await this.#reach(own), stream);
  }

  /** Nothing, where the policy lets no other host in. */
  async #tellable(): Promise<Announced[]> {
    if (!(await this.#options.peers.allows('services'))) return [];
    return this.#own.all().map(({ service, container, ready }) => ({ service, container, ready }));
  }

  #status(name: string): ServiceStatus {
    const places = this.#places().filter(({ announced }) => announced.service === name);
    const port = this.#ports.get(name) ?? null;
    return { name, port, instances: places.map(({ instance }) => instance) };
  }

  /** All instances, the nearest first. */
  #places(): Place[] {
    const { name, site } = this.#mesh ?? this.#options;
    const here = this.#own.all().map((own): Place => {
      const state = own.ready ? 'ready' : 'not-ready';
      return {
        announced: own,
        instance: { container: own.container, host: name, site, state, rttMs: 0 },
        open: () => this.#reach(own),
      };
    });
    const others = (this.#mesh?.hosts() ?? []).filter(({ self }) => !self).sort(byDistance);
    return [...here, ...others.flatMap((host) => this.#placesOf(host))];
  }

  /** Opens a connection to an instance here, and counts it until it ends. @throws {ServiceUnavailableError} */
  async #reach({ service, container, address, port }: OwnInstance): Promise<Pipe> {
    const end = this.#traffic.begin(container);
    try {
      const pipe = await SocketPipe.connect(address, port, PATIENCE);
      pipe.onGone(end);
      return pipe;
    } catch (cause) {
      end();
      const why = `${address}:${port}: ${(cause as Error).message}`;
      throw new ServiceUnavailableError(service, container, why, { cause });
    }
  }

  #placesOf({ peerId, name, site, state, rttMs }: MeshHost): Place[] {
    return this.#announcements!.of(peerId).map((announced) => {
      const { service, container, ready } = announced;
      const instanceState = state === 'down' ? 'unreachable' : ready ? 'ready' : 'not-ready';
      return {
        announced,
        instance: { container, host: name, site, state: instanceState, rttMs },
        open: (signal): Promise<Pipe> =>
          this.#mesh!.openStream(peerId, STREAM, { service, container }, { signal, timeoutMs: PATIENCE }),
      };
    });
  }
}

/** Those that are up first, then by round trip. */
function byDistance(one: MeshHost, other: MeshHost): number {
  const silent = (host: MeshHost) => (host.state === 'up' ? 0 : 1);
  return silent(one) - silent(other) || (one.rttMs ?? Infinity) - (other.rttMs ?? Infinity);
}

function checkServiceName(name: string): void {
  if (isServiceName(name)) return;
  throw new InvalidArgumentError(
    `"${name}" is not a service name`,
    'It has lower-case letters, digits and hyphens, at most 63 of them (RFC 1123 label).',
  );
}
