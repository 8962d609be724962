import type { Locator } from '../mesh';
import type { FogNode } from '../node/create-node';
import type { Libraries } from '../node/libraries';

const REPEAT_AFTER = 3_600_000;
/** Announcing is the expensive call: it asks its way through the network. */
const CONCURRENT = 2;
/** How long a new connection may take until lookups go over it. */
const SETTLING = 2_000;
const PATIENCE = 20_000;
/** What is kept to be told later; beyond, the store tells it when it looks through its objects again. */
const MOST_UNTOLD = 50_000;

/** Looks objects up in the fog's own Kademlia network. Announce only the roots of objects. */
export class DhtLocator implements Locator {
  readonly #node: FogNode;
  readonly #libraries: Libraries;
  /** When each CID was last announced, the longest ago first, by a clock that never jumps. */
  readonly #announced = new Map<string, number>();
  /** What is to be told as soon as there is somebody to tell. */
  readonly #untold = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #telling: NodeJS.Timeout | undefined;

  constructor(node: FogNode, libraries: Libraries) {
    this.#node = node;
    this.#libraries = libraries;
    node.addEventListener('peer:connect', () => this.#tellLater());
  }

  /** How many CIDs are held in memory: announced within the hour, or waiting to be. */
  get remembered(): number {
    return this.#announced.size + this.#untold.size;
  }

  close(): void {
    clearTimeout(this.#telling);
    this.#untold.clear();
  }

  async provide(cid: string, signal: AbortSignal): Promise<void> {
    this.#forgetOld();
    if (this.#announced.has(cid)) return;
    if (this.#isAlone()) {
      this.#untold.add(cid);
      const [oldest] = this.#untold;
      if (oldest !== undefined && this.#untold.size > MOST_UNTOLD) this.#untold.delete(oldest);
      return;
    }
    await this.#turn();
    try {
      signal.throwIfAborted();
      for await (const _ of this.#node.services.dht.provide(this.#libraries.CID.parse(cid), { signal }));
      this.#announced.set(cid, performance.now());
      this.#untold.delete(cid);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async withdraw(cid: string): Promise<void> {
    this.#announced.delete(cid);
    this.#untold.delete(cid);
    await this.#node.services.dht.cancelReprovide(this.#libraries.CID.parse(cid));
  }

  async *findProviders(cid: string, signal: AbortSignal): AsyncIterable<string> {
    // A lookup would dial hosts that are away, and wait for them.
    if (this.#isAlone()) return;
    const found = new Set([this.#node.peerId.toString()]);
    try {
      for await (const event of this.#node.services.dht.findProviders(this.#libraries.CID.parse(cid), {
        signal,
      })) {
        if (event.name !== 'PROVIDER') continue;
        for (const provider of event.providers) {
          const peerId = provider.id.toString();
          if (found.has(peerId)) continue;
          found.add(peerId);
          yield peerId;
        }
      }
    } catch {
      // Nobody answered, or the time is up: who was found is all there is.
    }
  }

  /** An announcement is only remembered for as long as it need not be repeated. */
  #forgetOld(): void {
    for (const [cid, time] of this.#announced) {
      if (performance.now() - time < REPEAT_AFTER) return;
      this.#announced.delete(cid);
    }
  }

  #isAlone(): boolean {
    return this.#node.getPeers().length === 0;
  }

  #tellLater(): void {
    if (this.#untold.size === 0) return;
    clearTimeout(this.#telling);
    this.#telling = setTimeout(async () => {
      for (const cid of [...this.#untold]) {
        await this.provide(cid, AbortSignal.timeout(PATIENCE)).catch(() => {});
      }
    }, SETTLING);
    this.#telling.unref();
  }

  async #turn(): Promise<void> {
    while (this.#running >= CONCURRENT) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
  }
}
