import { existsSync } from 'node:fs';
import { arch, availableParallelism, freemem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database, DataDirectory, LongCall } from '../../base';
import { type FogInfo, FogMesh, type HostState, type InviteOptions, type MeshHost } from '../../mesh';

/** How a host meets the others; see `garua host --listen` and `--join`. */
export interface MeshSettings {
  /** Multiaddrs to listen on. Default: all IPv4 addresses, port 4747 or the one used before. */
  listen?: string[] | undefined;
  /** Multiaddrs of hosts to meet the fog at, beside those that are known. */
  join?: string[] | undefined;
}

export interface HostFogOptions extends MeshSettings {
  directory: DataDirectory;
  database: Database;
  /** As given by the user; default: as before. */
  name?: string | undefined;
  site?: string | undefined;
  /** Whether this process stays: it then is in the fog from the start, and need not wait to have met the others. */
  stays: boolean;
}

/** A host as `garua sites` shows it. */
export interface SiteHost {
  name: string;
  peerId: string;
  addresses: string[];
  /** 0 for the host that answers, null while it was not measured. */
  rttMs: number | null;
  state: HostState;
  /** null while the host has not told. */
  arch: string | null;
  cpus: number | null;
  /** Bytes; null while the host has not told. */
  freeMemory: number | null;
}

export interface SiteStatus {
  site: string;
  hosts: SiteHost[];
}

/** How long a process that does not stay waits to have met the hosts of its fog. */
const MEETING = 3_000;

/** This host's part in its fog. The mesh is opened at the first use, or at the start where the process stays. */
export class HostFog {
  readonly #options: HostFogOptions;
  #mesh: Promise<FogMesh> | undefined;
  readonly #onOpen: ((mesh: FogMesh) => void)[] = [];

  constructor(options: HostFogOptions) {
    this.#options = options;
  }

  /** Whether the data directory belongs to a fog. */
  get isMember(): boolean {
    return existsSync(this.#options.directory.join('mesh', 'membership.json'));
  }

  /** Calls the listener once the mesh is open, and at once if it is: for what serves the other hosts. */
  whenOpen(listener: (mesh: FogMesh) => void): void {
    this.#onOpen.push(listener);
    this.#mesh?.then(listener, () => {});
  }

  /** Opens the mesh. @throws {ListenError} */
  mesh(): Promise<FogMesh> {
    if (!this.#mesh) {
      this.#mesh = FogMesh.open(this.#options).catch((error) => {
        this.#mesh = undefined;
        throw error;
      });
      for (const listener of this.#onOpen) this.#mesh.then(listener, () => {});
    }
    return this.#mesh;
  }

  async create(name: string | undefined): Promise<FogInfo> {
    return (await this.mesh()).createFog({ name });
  }

  async invite(options: InviteOptions): Promise<string> {
    return (await this.meeting()).invite(options);
  }

  async join(invite: string, options: LongCall): Promise<FogInfo> {
    return (await this.mesh()).join(invite, options);
  }

  async revoke(host: string): Promise<MeshHost> {
    return (await this.meeting()).revoke(host);
  }

  async info(): Promise<FogInfo | undefined> {
    return (await this.mesh()).fog();
  }

  /** All hosts by site; of a host without a fog, itself alone. */
  async sites(): Promise<SiteStatus[]> {
    const mesh = await this.meeting();
    const sites = new Map<string, SiteHost[]>();
    const hosts = mesh.hosts().map((host) => [host.site, describe(host)] as const);
    for (const [site, host] of hosts.length > 0 ? hosts : [[mesh.site, alone(mesh)] as const]) {
      sites.set(site, [...(sites.get(site) ?? []), host]);
    }
    return [...sites].map(([site, list]) => ({ site, hosts: list }));
  }

  async close(): Promise<void> {
    const mesh = await this.#mesh?.catch(() => undefined);
    await mesh?.close();
  }

  /** The mesh, once the others have been met, if they are there. */
  async meeting(): Promise<FogMesh> {
    const mesh = await this.mesh();
    const end = performance.now() + MEETING;
    while (
      !this.#options.stays &&
      performance.now() < end &&
      mesh.hosts().some(({ state }) => state !== 'up')
    ) {
      await delay(50);
    }
    return mesh;
  }
}

const alone = (mesh: FogMesh): SiteHost => ({
  name: mesh.name,
  peerId: mesh.peerId,
  addresses: [],
  rttMs: 0,
  state: 'up',
  arch: arch(),
  cpus: availableParallelism(),
  freeMemory: freemem(),
});

function describe({ name, peerId, addresses, rttMs, state, abilities, load }: MeshHost): SiteHost {
  return {
    name,
    peerId,
    addresses,
    rttMs,
    state,
    arch: abilities?.arch ?? null,
    cpus: abilities?.cpus ?? null,
    freeMemory: load?.freeMemory ?? null,
  };
}
