import { availableParallelism, freemem, totalmem } from 'node:os';
import type { DataDirectory } from '../../base';
import type { ContainerEngine } from '../../container';
import type { Mesh, MeshHost } from '../../mesh';
import type { ViewedContainer, ViewedHost } from '../../migration/triggers';
import type { HostFog } from '../fog';
import { type Machine, thisMachine } from '../machine';
import type { PeerGate } from '../peers';
import { Latencies } from './latencies';
import type { Outlook, OutlookOptions } from './outlook';
import { troublesOf } from './troubles';

/** A whole number; containers with a higher one matter more. */
const PRIORITY = 'garua.priority';

export interface OutlookParts {
  directory: DataDirectory;
  fog: HostFog;
  peers: PeerGate;
  engine(): Promise<ContainerEngine>;
  machine?: Machine | undefined;
}

/** Sees what decides whether containers of this host had better run elsewhere. */
export class HostOutlook {
  readonly #parts: OutlookParts;
  readonly #latencies: Latencies;

  constructor(parts: OutlookParts) {
    this.#parts = parts;
    this.#latencies = new Latencies(parts.peers);
    parts.fog.whenOpen((mesh) => this.#latencies.attach(mesh));
  }

  /** @throws {InvalidArgumentError} for a user who is neither a host of the fog nor an address */
  async look({ user, signal }: OutlookOptions): Promise<Outlook> {
    const { directory, fog, machine = thisMachine } = this.#parts;
    const mesh = await fog.meeting();
    const [containers, troubles, latencies] = await Promise.all([
      this.#containers(signal),
      troublesOf(machine, directory.path),
      user === undefined ? {} : this.#latencies.toUser(mesh, user, signal),
    ]);
    const hosts = mesh.hosts();
    return {
      self: viewOfSelf(mesh, hosts),
      others: hosts.filter(({ self, state }) => !self && state === 'up').flatMap(viewOf),
      ...{ containers, troubles, latencies },
    };
  }

  async #containers(signal: AbortSignal | undefined): Promise<ViewedContainer[]> {
    const engine = await this.#parts.engine();
    const [all, stats, labels] = await Promise.all([
      engine.list(),
      engine.stats({ signal }),
      engine.labels(),
    ]);
    const usage = new Map(stats.map((one) => [one.name, one]));
    const running = all.filter(({ state }) => state === 'running');
    return running.map(({ name, service }) => {
      const { cpus, memory } = usage.get(name) ?? {};
      const own = labels.get(name) ?? {};
      const priority = Number.parseInt(own[PRIORITY] ?? '', 10) || 0;
      const weight = { cpus: cpus ?? 0, memory: memory ?? 0 };
      return {
        ...{ name, service: service?.name ?? null, labels: own, priority },
        ...{ ...weight, avoids: [], mayMove: true },
      };
    });
  }
}

function viewOf({ name, peerId, site, abilities, load }: MeshHost): ViewedHost[] {
  if (!abilities || !load) return [];
  const { arch, cpus, memory } = abilities;
  return [{ name, peerId, site, arch, cpus, memory, ...load }];
}

/** Of this host the memory is what it is now, and not at the last heartbeat. */
function viewOfSelf({ name, peerId, site }: Mesh, hosts: MeshHost[]): ViewedHost {
  const cpus = availableParallelism();
  const freeCpus = hosts.find(({ self }) => self)?.load?.freeCpus ?? cpus;
  return {
    ...{ name, peerId, site, arch: process.arch, cpus, freeCpus },
    ...{ memory: totalmem(), freeMemory: freemem() },
  };
}
