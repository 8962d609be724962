import { SingleFlight } from '../../base';
import type { CallContext, Mesh } from '../mesh';
import { type Announcement, checkAnnouncement, checkVersion } from './checks';
import type { Queues } from './queues/queues';
import type { Place, Subscriber } from './queues/subscriber-table';
import type { Roamer } from './roaming/roaming-table';

const CALL = 'messages.announce';
/** Until a host that is there and did not answer is told again, in ms. */
const PAUSE = 1_000;

/**
 * Tells the other hosts who subscribes to what here, those that roam among them, and keeps what they tell: each at
 * every change, and to a host that comes up.
 */
export class Announcer {
  readonly #mesh: Mesh;
  readonly #queues: Queues;
  readonly #onNews: (peer: string, lost: string[]) => void;
  readonly #stop: () => void;
  readonly #telling = new SingleFlight<void>();
  /** The version that each host has. */
  readonly #told = new Map<string, number>();
  readonly #again = new Map<string, NodeJS.Timeout>();
  #closed = false;

  /** `onNews`: the subscribers of that host may be others now; `lost` were here. */
  constructor(mesh: Mesh, queues: Queues, onNews: (peer: string, lost: string[]) => void) {
    this.#mesh = mesh;
    this.#queues = queues;
    this.#onNews = onNews;
    this.#stop = mesh.serve(CALL, (said: unknown, { peerId }: CallContext) => this.#hear(said, peerId));
  }

  /** Tells all hosts that are there; the others hear it when they come up. */
  announce(): void {
    for (const { self, state, peerId } of this.#mesh.hosts()) {
      if (!self && state !== 'down') void this.#tell(peerId);
    }
  }

  /** The host has just come up, and may have lost what it was told. */
  renew(peer: string): void {
    this.#told.delete(peer);
    void this.#tell(peer);
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    for (const timer of this.#again.values()) clearTimeout(timer);
  }

  /** Tells one host what it does not know yet, again and again while it is there and does not answer. */
  async #tell(peer: string): Promise<void> {
    clearTimeout(this.#again.get(peer));
    try {
      await this.#telling.run(peer, () => this.#exchange(peer));
      // What has changed meanwhile is told too.
      if (!this.#closed && this.#told.get(peer) !== this.#own().version) await this.#tell(peer);
    } catch {
      this.#told.delete(peer);
      if (this.#closed || !this.#isThere(peer)) return;
      this.#again.set(peer, setTimeout(() => void this.#tell(peer), PAUSE).unref());
    }
  }

  async #exchange(peer: string): Promise<void> {
    const { host, site } = this.#queues.self;
    const own = this.#own();
    if (this.#told.get(peer) === own.version) return;
    const known = checkVersion(await this.#mesh.call(peer, CALL, { host, site, ...own }));
    this.#told.set(peer, own.version);
    // Said before this host lost its state, or its clock went back: that is outdone.
    if (known > own.version)
      await this.#queues.change(() => this.#queues.subscribers.changed(known)).committed;
  }

  #isThere(peer: string): boolean {
    return this.#mesh.hosts().some(({ peerId, state }) => peerId === peer && state !== 'down');
  }

  #own(): Pick<Announcement, 'version' | 'subscribers' | 'roaming'> {
    return { ...this.#queues.subscribers.own(), roaming: this.#queues.roaming.own() };
  }

  async #hear(said: unknown, peer: string): Promise<number> {
    const { host, site, version, subscribers, roaming } = checkAnnouncement(said);
    const place = { peer, host, site };
    const { known, lost } = await this.#queues.change(() => this.#take(place, version, subscribers, roaming))
      .committed;
    this.#onNews(peer, lost);
    return known;
  }

  /** Keeps it, unless something newer is known. */
  #take(place: Place, version: number, subscribers: Subscriber[], roaming: Roamer[]) {
    const before = this.#queues.subscribers.announcedVersion(place.peer);
    const known = this.#queues.subscribers.announced(place, version, subscribers);
    return { known, lost: before < version ? this.#queues.roaming.heard(place, roaming) : [] };
  }
}
