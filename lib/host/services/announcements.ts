import { randomUUID } from 'node:crypto';
import type { CallContext, Mesh, MeshEvent } from '../../mesh';
import type { Announced } from './service';

const CALL = 'services.exchange';
const PATIENCE = 5_000;
/** Until a host that could not be told is told again, in milliseconds. */
const RETRY = 2_000;
/** How often to look whether the policy has changed what may be told. */
const REVIEW = 15_000;
/** More than a host can run. */
const MOST = 4_096;

/** All that a host runs; a later version replaces an earlier one of the same run of its process. */
interface Announcement {
  run: string;
  version: number;
  instances: Announced[];
}

export interface AnnouncementsOptions {
  mesh: Mesh;
  /** What may be told to the others now. */
  own(): Promise<Announced[]>;
}

/** Tells all hosts of the fog what runs here, on each change, and learns what runs on them. */
export class Announcements {
  readonly #options: AnnouncementsOptions;
  readonly #run = randomUUID();
  readonly #heard = new Map<string, Announcement>();
  /** The version that each host has been told. */
  readonly #told = new Map<string, number>();
  readonly #telling = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  readonly #review: NodeJS.Timeout;
  #retry: NodeJS.Timeout | undefined;
  #own: Announced[] = [];
  #version = 0;

  constructor(options: AnnouncementsOptions) {
    this.#options = options;
    options.mesh.serve(CALL, async (theirs: Announcement, { peerId }: CallContext) => {
      this.#hear(peerId, theirs);
      await this.review();
      this.#told.set(peerId, this.#version);
      return this.#announcement();
    });
    void this.#watch();
    this.#review = setInterval(() => void this.review(), REVIEW).unref();
    void this.review();
  }

  /** What the host told last. */
  of(peerId: string): Announced[] {
    return this.#heard.get(peerId)?.instances ?? [];
  }

  /** Looks at what there is to be told, and tells it where it is news. */
  async review(): Promise<void> {
    const own = await this.#options.own();
    if (this.#version === 0 || JSON.stringify(own) !== JSON.stringify(this.#own)) {
      this.#own = own;
      this.#version += 1;
    }
    this.#tell();
  }

  /** Resolves when the hosts that are up have answered, or do not. */
  async settled(): Promise<void> {
    await this.review();
    await Promise.all(this.#telling.values());
  }

  close(): void {
    this.#closing.abort();
    clearInterval(this.#review);
    clearTimeout(this.#retry);
  }

  async #watch(): Promise<void> {
    for await (const event of this.#options.mesh.watch({ signal: this.#closing.signal })) this.#see(event);
  }

  #see({ type, host: { peerId } }: MeshEvent): void {
    if (type === 'changed' || type === 'suspect') return;
    // It may be another run of its process, which knows nothing.
    this.#told.delete(peerId);
    if (type === 'revoked') this.#heard.delete(peerId);
    this.#tell();
  }

  #tell(): void {
    for (const { peerId, self, state } of this.#options.mesh.hosts()) {
      if (self || state !== 'up' || this.#telling.has(peerId)) continue;
      if (this.#told.get(peerId) === this.#version) continue;
      this.#telling.set(
        peerId,
        this.#exchange(peerId).finally(() => this.#telling.delete(peerId)),
      );
    }
  }

  async #exchange(peerId: string): Promise<void> {
    const { mesh } = this.#options;
    const ours = this.#announcement();
    try {
      const options = { timeoutMs: PATIENCE, signal: this.#closing.signal };
      this.#hear(peerId, await mesh.call<Announcement>(peerId, CALL, ours, options));
      this.#told.set(peerId, ours.version);
    } catch (error) {
      // Its version of garua knows no services.
      if ((error as { code?: string }).code === 'ERR_MESH_NO_SUCH_SERVICE')
        this.#told.set(peerId, ours.version);
    }
    if (this.#told.get(peerId) !== this.#version) this.#tellLater();
  }

  #tellLater(): void {
    if (this.#closing.signal.aborted) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#tell();
    }, RETRY).unref();
  }

  #hear(peerId: string, { run, version, instances }: Announcement): void {
    const known = this.#heard.get(peerId);
    if (known?.run === run && known.version >= version) return;
    if (typeof run !== 'string' || !Number.isSafeInteger(version) || !Array.isArray(instances)) return;
    this.#heard.set(peerId, { run, version, instances: instances.slice(0, MOST).filter(isAnnounced) });
  }

  #announcement(): Announcement {
    return { run: this.#run, version: this.#version, instances: this.#own };
  }
}

function isAnnounced(value: Announced): boolean {
  const { service, container, ready } = value ?? {};
  return typeof service === 'string' && typeof container === 'string' && typeof ready === 'boolean';
}
