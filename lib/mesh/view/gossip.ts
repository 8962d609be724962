import { SingleFlight } from '../../base';
import type { Ledger } from '../membership/ledger';
import type { Inventory } from '../membership/statement-table';
import type { Signed } from '../membership/statements';
import type { CallContext, Mesh } from '../mesh';

type Caller = Pick<Mesh, 'call' | 'serve'>;

interface SyncAnswer {
  /** Statements the asker lacks. */
  lacking: Signed[];
  /** Names of those the asked lacks. */
  wanted: string[];
}

/** Statements sent at once: a few hundred bytes each. */
const BATCH = 500;
const PUSH_PATIENCE = 3_000;

/**
 * Spreads statements: what is new goes to every connected host at once, and from those on to theirs; what
 * somebody missed is found by comparing inventories when heartbeats show different digests.
 */
export class Gossip {
  readonly #ledger: Ledger;
  readonly #caller: Caller;
  readonly #peers: () => string[];
  readonly #onFresh: (fresh: Signed[]) => void;
  readonly #syncing = new SingleFlight<void>();

  /** `peers` are those connected now; `onFresh` learns what came from elsewhere. */
  constructor(ledger: Ledger, caller: Caller, peers: () => string[], onFresh: (fresh: Signed[]) => void) {
    this.#ledger = ledger;
    this.#caller = caller;
    this.#peers = peers;
    this.#onFresh = onFresh;
    caller.serve('mesh.push', (statements: Signed[], { peerId }: CallContext) =>
      this.#take(statements, peerId),
    );
    caller.serve('mesh.sync', (inventory: Inventory): SyncAnswer => {
      const { lacking, wanted } = this.#ledger.compare(inventory);
      return { lacking: lacking.slice(0, BATCH), wanted: wanted.slice(0, BATCH) };
    });
  }

  /** Takes in this host's own statements and tells the others; resolves when those that answer have it. */
  async publish(statements: Signed[]): Promise<void> {
    await this.#take(statements, undefined);
  }

  /** Makes both know what either does. */
  sync(peerId: string): Promise<void> {
    return this.#syncing.run(peerId, async () => {
      const answer = await this.#caller.call<SyncAnswer>(peerId, 'mesh.sync', this.#ledger.inventory());
      void this.#take(answer.lacking, peerId);
      const statements = this.#ledger.statements(answer.wanted);
      if (statements.length > 0) await this.#caller.call(peerId, 'mesh.push', statements);
    });
  }

  /** Tells all connected hosts but one. Whoever misses it gets it by comparing. */
  async spread(fresh: Signed[], except?: string): Promise<void> {
    if (fresh.length === 0) return;
    const told = this.#peers().filter((peerId) => peerId !== except);
    await Promise.allSettled(
      told.map((peerId) => this.#caller.call(peerId, 'mesh.push', fresh, { timeoutMs: PUSH_PATIENCE })),
    );
  }

  #take(statements: Signed[], from: string | undefined): Promise<void> {
    const fresh = this.#ledger.admit(statements.slice(0, BATCH));
    // First the consequences: a host that is revoked here hears nothing more.
    if (fresh.length > 0) this.#onFresh(fresh);
    return this.spread(fresh, from);
  }
}
