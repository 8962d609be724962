import { SingleFlight } from '../../base';
import type { CallContext, Mesh } from '../mesh';
import type { Queues } from './queues/queues';
import type { Place, Subscriber } from './queues/subscriber-table';

const CALL = 'messages.announce';
/** The most subscribers of one host. */
const MAXIMUM = 10_000;
/** Until a host that is there and did not answer is told again, in ms. */
const PAUSE = 1_000;

interface Announcement extends Pick<Place, 'host' | 'site'> {
  version: number;
  subscribers: Subscriber[];
}

/**
 * Tells the other hosts who subscribes to what here, and keeps what they tell: each at every change, and to a
 * host that comes up.
 */
export class Announcer {
  readonly #mesh: Mesh;
  readonly #queues: Queues;
  readonly #onNews: (peer: string) => void;
  readonly #stop: () => void;
  readonly #telling = new SingleFlight<void>();
  /** The version that each host has. */
  readonly #told = new Map<string, number>();
  readonly #again = new Map<string, NodeJS.Timeout>();
  #closed = false;

  /** `onNews`: the subscribers of that host may be others now. */
  constructor(mesh: Mesh, queues: Queues, onNews: (peer: string) => void) {
    this.#mesh = mesh;
    this.#queues = queues;
    this.#onNews = onNews;
    this.#stop = mesh.serve(CALL, (said: Announcement, { peerId }: CallContext) => this.#hear(said, peerId));
  }

  /** Tells all hosts that are there; the others hear it when they come up. */
  async announce(): Promise<void> {
    const others = this.#mesh.hosts().filter(({ self, state }) => !self && state !== 'down');
    await Promise.all(others.map(({ peerId }) => this.tell(peerId)));
  }

  /** Tells one host what it does not know yet, again and again while it is there and does not answer. */
  async tell(peer: string): Promise<void> {
    clearTimeout(this.#again.get(peer));
    await this.#telling.run(peer, () => this.#tell(peer));
    const told = this.#told.get(peer);
    if (this.#closed || told === this.#own().version) return;
    if (told !== undefined) return this.tell(peer);
    const there = this.#mesh.hosts().some(({ peerId, state }) => peerId === peer && state !== 'down');
    if (there) this.#again.set(peer, setTimeout(() => void this.tell(peer), PAUSE).unref());
  }

  /** The host has just come up, and may have lost what it was told. */
  renew(peer: string): void {
    this.#told.delete(peer);
    void this.tell(peer);
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    for (const timer of this.#again.values()) clearTimeout(timer);
  }

  async #tell(peer: string): Promise<void> {
    const { host, site } = this.#queues.self;
    try {
      const own = this.#own();
      const known = await this.#mesh.call<number>(peer, CALL, { host, site, ...own });
      this.#told.set(peer, own.version);
      // Said before this host lost its state, or its clock went back: that is outdone.
      if (known > own.version)
        await this.#queues.change(() => this.#queues.subscribers.changed(known)).committed;
    } catch {
      this.#told.delete(peer);
    }
  }

  #own(): Pick<Announcement, 'version' | 'subscribers'> {
    return this.#queues.subscribers.own();
  }

  async #hear({ host, site, version, subscribers }: Announcement, peer: string): Promise<number> {
    const place = { peer, host: String(host), site: String(site) };
    const all = subscribers.slice(0, MAXIMUM);
    const known = await this.#queues.change(() =>
      this.#queues.subscribers.announced(place, Number(version), all),
    ).committed;
    this.#onNews(peer);
    return known;
  }
}
