import type { Multiaddr } from '@multiformats/multiaddr' with { 'resolution-mode': 'import' };
import type { FogNode } from './create-node';
import type { Libraries } from './libraries';

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 20_000;
const DIAL_TIMEOUT = 10_000;
const TICK = 500;
/** How many dials may run at once. */
const CONCURRENT = 8;

interface Target {
  /** The wait before the next attempt, before jitter. */
  wait: number;
  /** By performance.now(). */
  due: number;
  dialling: boolean;
}

export interface RediallerOptions {
  node: FogNode;
  libraries: Libraries;
  /** Peer IDs of all members but this one. */
  members(): string[];
  addressesOf(peerId: string): string[];
  /** Addresses to join at, with or without a peer ID. */
  join: string[];
  onFailure(peerId: string): void;
}

/** Keeps this host connected to every member: whoever is lost is dialled again for ever, with growing waits. */
export class Redialler {
  readonly #options: RediallerOptions;
  readonly #targets = new Map<string, Target>();
  /** Peer IDs that answered at join addresses. */
  readonly #answered = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopped = new AbortController();
  #dialling = 0;
  /** How many members and connections there were when nobody was missing; looking closer costs much more. */
  #settled = '';

  constructor(options: RediallerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#tick();
  }

  /** Dials the host at the next tick: there is reason to think that it is back. */
  hurry(peerId: string): void {
    const target = this.#targets.get(peerId);
    if (!target || target.dialling) return;
    target.wait = FIRST_WAIT;
    target.due = 0;
    this.#tick();
  }

  /** A connection to it was closed: at once it may still be there, and the wait begins anew. */
  lost(peerId: string): void {
    this.#targets.delete(peerId);
    this.#settled = '';
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }

  #tick(): void {
    const { node, join } = this.#options;
    const members = this.#options.members();
    const now = `${members.length} ${node.getConnections().length}`;
    if (now === this.#settled) return;
    const connected = new Set(node.getPeers().map(String));
    for (const peerId of members) {
      if (connected.has(peerId)) this.#targets.delete(peerId);
      else
        this.#attempt(peerId, () =>
          this.#options.addressesOf(peerId).map((address) => `${address}/p2p/${peerId}`),
        );
    }
    for (const address of join) {
      const peerId = /\/p2p\/(\w+)$/.exec(address)?.[1] ?? this.#answered.get(address);
      if (peerId === node.peerId.toString() || (peerId && connected.has(peerId)))
        this.#targets.delete(address);
      else this.#attempt(address, () => [address]);
    }
    this.#settled = this.#targets.size === 0 ? now : '';
  }

  #attempt(name: string, addresses: () => string[]): void {
    let target = this.#targets.get(name);
    if (!target) {
      target = { wait: FIRST_WAIT, due: 0, dialling: false };
      this.#targets.set(name, target);
    }
    if (target.dialling || performance.now() < target.due || this.#dialling >= CONCURRENT) return;
    target.dialling = true;
    this.#dialling += 1;
    this.#dial(name, addresses())
      .catch(() => this.#options.onFailure(name))
      .finally(() => {
        this.#dialling -= 1;
        target.dialling = false;
        target.due = performance.now() + target.wait * (0.75 + Math.random() / 2);
        target.wait = Math.min(LONGEST_WAIT, target.wait * 1.7);
      });
  }

  async #dial(name: string, addresses: string[]): Promise<void> {
    const parsed = addresses
      .map((address) => this.#parse(address))
      .filter((address) => address !== undefined);
    if (parsed.length === 0) throw new Error('no address');
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(DIAL_TIMEOUT)]);
    const connection = await this.#options.node.dial(parsed, { signal });
    if (!this.#targets.has(name) || name.startsWith('/'))
      this.#answered.set(name, connection.remotePeer.toString());
  }

  #parse(address: string): Multiaddr | undefined {
    try {
      return this.#options.libraries.multiaddr(address);
    } catch {
      return undefined;
    }
  }
}
