import type { Locator } from '../mesh';
import type { FogNode } from '../node/create-node';
import type { Libraries } from '../node/libraries';

const REPEAT_AFTER = 3_600_000;
/** Announcing is the expensive call: it asks its way through the network. */
const CONCURRENT = 2;

/** Looks objects up in the fog's own Kademlia network. Announce only the roots of objects. */
export class DhtLocator implements Locator {
  readonly #node: FogNode;
  readonly #libraries: Libraries;
  /** When each CID was last announced, by a clock that never jumps. */
  readonly #announced = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(node: FogNode, libraries: Libraries) {
    this.#node = node;
    this.#libraries = libraries;
  }

  async provide(cid: string, signal: AbortSignal): Promise<void> {
    const last = this.#announced.get(cid);
    if (last !== undefined && performance.now() - last < REPEAT_AFTER) return;
    await this.#turn();
    try {
      signal.throwIfAborted();
      for await (const _ of this.#node.services.dht.provide(this.#libraries.CID.parse(cid), { signal }));
      // A host that is alone has told nobody: it tries again at the next call.
      if (this.#node.getPeers().length > 0) this.#announced.set(cid, performance.now());
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async withdraw(cid: string): Promise<void> {
    this.#announced.delete(cid);
    await this.#node.services.dht.cancelReprovide(this.#libraries.CID.parse(cid));
  }

  async *findProviders(cid: string, signal: AbortSignal): AsyncIterable<string> {
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

  async #turn(): Promise<void> {
    while (this.#running >= CONCURRENT) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
  }
}
