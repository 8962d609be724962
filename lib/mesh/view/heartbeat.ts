import type { Ledger } from '../membership/ledger';
import type { CallContext, HostLoad, Mesh } from '../mesh';
import type { Gossip } from './gossip';
import type { HostTable } from './host-table';
import { LoadMeter } from './load';

const INTERVAL = 4_000;
const PATIENCE = 3_500;
/** Part of the interval over which hosts are asked, in ms. */
const SPREAD = 3_000;
const SAVE_EVERY = 15;
/** How long a host that asks this one is not asked in turn; then the way is measured from here, too, in ms. */
const MEASURE_EVERY = 30_000;

interface Beat {
  digest: string;
  load: HostLoad;
}

export interface HeartbeatOptions {
  caller: Pick<Mesh, 'call' | 'serve'>;
  ledger: Ledger;
  table: HostTable;
  gossip: Gossip;
  isConnected(peerId: string): boolean;
  /** Makes the way for calls ready, so that the first one measures the way and not its making. */
  prepare(peerId: string): Promise<void>;
  /** The host is silent on an open connection: it is of no use any more. */
  drop(peerId: string): void;
  /** Once per interval. */
  onTick(): void;
}

/**
 * Asks every connected host every few seconds how it is, which also measures the way and finds missed news. Of two
 * hosts mostly one asks: the question says as much as the answer.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #meter = new LoadMeter();
  readonly #timer: NodeJS.Timeout;
  readonly #asking = new Set<string>();
  /** When a host has asked, and when it was asked and has answered, by performance.now(). */
  readonly #askedBy = new Map<string, number>();
  readonly #measured = new Map<string, number>();
  readonly #later = new Set<NodeJS.Timeout>();
  #load: HostLoad = this.#meter.read();
  #ticks = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    options.table.loadOfSelf(this.#load);
    options.caller.serve('mesh.heartbeat', ({ digest, load }: Beat, { peerId }: CallContext): Beat => {
      options.table.heard(peerId, load, null);
      this.#askedBy.set(peerId, performance.now());
      this.#compare(peerId, digest);
      return this.#beat();
    });
    this.#timer = setInterval(() => this.#tick(), INTERVAL);
  }

  /** Asks one host now. */
  async ask(peerId: string): Promise<void> {
    if (this.#asking.has(peerId)) return;
    this.#asking.add(peerId);
    const { caller, table, isConnected, prepare, drop } = this.#options;
    try {
      await prepare(peerId);
      const sent = performance.now();
      const beat = await caller.call<Beat>(peerId, 'mesh.heartbeat', this.#beat(), { timeoutMs: PATIENCE });
      table.heard(peerId, beat.load, performance.now() - sent);
      this.#measured.set(peerId, performance.now());
      this.#compare(peerId, beat.digest);
    } catch {
      if (table.missed(peerId) === 'down' && isConnected(peerId)) drop(peerId);
    } finally {
      this.#asking.delete(peerId);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const timer of this.#later) clearTimeout(timer);
  }

  #tick(): void {
    const { table, isConnected, onTick } = this.#options;
    this.#load = this.#meter.read();
    table.loadOfSelf(this.#load);
    for (const peerId of table.others()) {
      // Spread over the interval: answers that come all at once measure this process and not the way.
      if (isConnected(peerId)) this.#askLater(peerId, Math.random() * SPREAD);
      else table.missed(peerId);
    }
    this.#ticks += 1;
    if (this.#ticks % SAVE_EVERY === 0) table.save();
    onTick();
  }

  #askLater(peerId: string, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#later.delete(timer);
      // Meanwhile it may have gone; that it was connected at the tick no longer counts.
      if (this.#options.isConnected(peerId) && !this.#knows(peerId)) void this.ask(peerId);
    }, milliseconds);
    this.#later.add(timer);
  }

  /** Whether the host has just said by itself how it is. */
  #knows(peerId: string): boolean {
    const since = (times: Map<string, number>) => performance.now() - (times.get(peerId) ?? -Infinity);
    return since(this.#askedBy) < INTERVAL && since(this.#measured) < MEASURE_EVERY;
  }

  #beat(): Beat {
    return { digest: this.#options.ledger.digest(), load: this.#load };
  }

  #compare(peerId: string, digest: string): void {
    if (digest === this.#options.ledger.digest()) return;
    this.#options.gossip.sync(peerId).catch(() => {});
  }
}
