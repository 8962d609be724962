import type { Database } from '../../base';
import { type ContainerEngine, type ContainerStatus, collide, type PublishedPort } from '../../container';
import type { ByteStream, CallContext, Mesh } from '../../mesh';
import type { PeerGate } from '../peers';
import { join, SocketPipe } from '../services';
import { ForwardUnavailableError } from './errors';
import { type Forward, type ForwardStatus, keyOf } from './forward';
import { Passage } from './passage';
import { ForwardTable } from './table';

const STREAM = 'forwards.connect';
/** How long the other host and its container may take to accept, in milliseconds. */
const PATIENCE = 3_000;
/** Between two looks at what has come to its end, and what has to step aside. */
const REVIEW = 5_000;
/** A container that wants the port has it within this time, or not at all. */
const ASIDE = 10_000;
/** After so long without a connection the clients have moved. */
const IDLE = 10 * 60_000;
/** A container that goes on and on; each host passes on to the next. */
const MOST_HOPS = 8;

/** What a host asks of the one that it passes a connection on to. */
interface Wanted {
  container: string;
  port: number;
  hops: number;
}

export interface HostForwardsOptions {
  database: Database;
  peers: Pick<PeerGate, 'check'>;
  /** Whether this process stays, so that somebody is there to pass connections on. */
  stays: boolean;
  engine(): Promise<Pick<ContainerEngine, 'list' | 'get'>>;
  /** For tests, in milliseconds. */
  idleMs?: number | undefined;
  reviewMs?: number | undefined;
}

/**
 * Passes connections to published ports of containers that have moved away on to where they have gone, over the
 * mesh, until their time is over, nobody has come for long, or a container here wants the port. Kept over restarts.
 */
export class HostForwards {
  readonly #options: HostForwardsOptions;
  readonly #table: ForwardTable;
  readonly #passages = new Map<string, Passage>();
  /** Containers that run elsewhere already, and are still here. */
  readonly #leaving = new Set<string>();
  #mesh: Mesh | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HostForwardsOptions) {
    this.#options = options;
    this.#table = new ForwardTable(options.database);
    if (!options.stays) return;
    for (const forward of this.#table.all()) this.#add(forward);
    void this.#review();
  }

  /** Serves the hosts that pass connections on to this one. */
  attach(mesh: Mesh): void {
    this.#mesh = mesh;
    mesh.serveStream(STREAM, (wanted: Wanted, stream, context) => this.#serve(wanted, stream, context));
  }

  /**
   * Passes the published TCP ports of a container that leaves on to that host, for so long, from the moment when its
   * own rules are gone. Call `left` once it has left. Can be repeated.
   */
  async begin(
    { name, ports }: { name: string; ports: Required<PublishedPort>[] },
    peerId: string,
    limitMs: number,
  ): Promise<void> {
    if (!this.#options.stays || limitMs <= 0) return;
    this.#leaving.add(name);
    const until = Date.now() + limitMs;
    for (const { hostAddress, hostPort, containerPort, protocol } of ports) {
      if (protocol !== 'tcp') continue;
      const forward = {
        hostAddress,
        hostPort,
        containerPort,
        container: name,
        peerId,
        until,
        connections: 0,
      };
      this.#table.put(forward);
      await this.#add(forward).enter();
    }
    this.#watch();
  }

  left(container: string): void {
    this.#leaving.delete(container);
  }

  /** Leaves these ports to a container that is about to have them. */
  stepAside(ports: PublishedPort[]): void {
    for (const passage of this.#passages.values()) {
      if (ports.some((port) => collide(port, { ...passage.forward, protocol: 'tcp' })))
        passage.stepAside(ASIDE);
    }
  }

  /** All of them, by port; of one container where it is named. */
  list(container?: string): ForwardStatus[] {
    const all = [...this.#passages.values()].filter(
      ({ forward }) => container === undefined || forward.container === container,
    );
    return all
      .map(({ forward, isOpen, open }): ForwardStatus => {
        const { peerId, until, ...rest } = forward;
        const to = this.#mesh?.hosts().find((host) => host.peerId === peerId)?.name ?? peerId;
        const state = isOpen ? 'open' : 'waiting';
        return { ...rest, to, state, open, until: new Date(until).toISOString() };
      })
      .sort(
        (one, other) => one.hostPort - other.hostPort || one.hostAddress.localeCompare(other.hostAddress),
      );
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { forward } of this.#passages.values()) this.#table.put(forward);
    for (const passage of this.#passages.values()) passage.close({ all: true });
    this.#passages.clear();
  }

  #add(forward: Forward): Passage {
    const key = keyOf(forward);
    const passage = this.#passages.get(key);
    if (passage) {
      passage.lead(forward);
      return passage;
    }
    const added = new Passage(forward, (to, signal) => this.#dial(to, 0, signal));
    this.#passages.set(key, added);
    return added;
  }

  #watch(): void {
    const { reviewMs = REVIEW } = this.#options;
    this.#timer ??= setInterval(() => void this.#review(), reviewMs).unref();
  }

  /** Ends what is over, and takes ports that are free again. */
  async #review(): Promise<void> {
    if (this.#passages.size === 0) return;
    this.#watch();
    const containers = await this.#options
      .engine()
      .then((engine) => engine.list())
      .catch(() => []);
    for (const [key, passage] of this.#passages) {
      const { forward } = passage;
      const holder = containers.find((one) => !this.#leaving.has(one.name) && holds(one, forward));
      const isOver = Date.now() >= forward.until || passage.idleMs >= (this.#options.idleMs ?? IDLE);
      if (isOver || holder?.state === 'running') {
        passage.close();
        this.#passages.delete(key);
        this.#table.delete(forward);
      } else {
        this.#table.put(forward);
        if (!holder) await passage.enter();
      }
    }
    if (this.#passages.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #dial(
    { peerId, container, hostPort }: Forward,
    hops: number,
    signal: AbortSignal,
  ): Promise<ByteStream> {
    if (!this.#mesh) throw new ForwardUnavailableError(container, hostPort, 'this host is in no fog');
    const wanted: Wanted = { container, port: hostPort, hops };
    return this.#mesh.openStream(peerId, STREAM, wanted, { signal, timeoutMs: PATIENCE });
  }

  /** Another host passes on a connection to a container that it has sent here. */
  async #serve(wanted: Wanted, stream: ByteStream, { peerId, signal }: CallContext): Promise<void> {
    await this.#options.peers.check('containers', peerId);
    const { container, port } = wanted;
    const found = await (await this.#options.engine()).get(String(container)).catch(() => undefined);
    const published = found?.ports.find((one) => one.hostPort === port && (one.protocol ?? 'tcp') === 'tcp');
    if (found?.state === 'running' && published) {
      await join(await reach(found, published), stream);
      return;
    }
    const next = this.#table.all().find((one) => one.container === container && one.hostPort === port);
    if (!next || !(wanted.hops < MOST_HOPS))
      throw new ForwardUnavailableError(container, port, 'it is not here');
    await join(await this.#dial(next, wanted.hops + 1, signal), stream);
  }
}

/** Without an address of its own it has the host's. @throws {ForwardUnavailableError} */
async function reach({ name, address }: ContainerStatus, { containerPort, hostPort }: PublishedPort) {
  try {
    return await SocketPipe.connect(address ?? '127.0.0.1', containerPort, PATIENCE);
  } catch (cause) {
    throw new ForwardUnavailableError(name, hostPort, (cause as Error).message, { cause });
  }
}

/** Whether the container has the port, or is about to have it. */
function holds({ ports, state }: ContainerStatus, forward: Forward): boolean {
  if (state === 'stopped' || state === 'failed' || state === 'removed') return false;
  return ports.some((port) => collide(port, { ...forward, protocol: 'tcp' }));
}
