import type { Database } from '../../../base';
import type { FlowEvent, FlowPlacement, OperatorStatus, PlacedFlow } from '../flow';
import { OperatorUnknownError } from './errors';
import { FlowKeeper } from './flow-keeper';
import type { FogView } from './fog-view';
import { OwnerTable } from './records';

/** Between two looks for instances that nobody knows any more, in ms. */
const SWEEP = 60_000;
/** How long whoever keeps a flow may take to give it up to the next, in ms. */
const PATIENCE = 3_000;

/** All flows that this host owns. */
export class FlowOwner implements FlowPlacement {
  readonly #view: FogView;
  readonly #table: OwnerTable;
  readonly #keepers = new Map<string, FlowKeeper>();
  readonly #timer: NodeJS.Timeout;
  #sweeping: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();
  readonly #ignore: () => void;

  constructor(view: FogView, database: Database) {
    this.#view = view;
    this.#table = new OwnerTable(database);
    // Moves that a crash has cut short are finished at once.
    for (const flow of this.#table.flows()) this.#keep(flow);
    this.#ignore = view.onUp(() => {
      for (const keeper of this.#keepers.values()) keeper.hurry();
    });
    this.#timer = setInterval(() => {
      // What fails, as on a full disk, is tried at the next look.
      this.#sweeping = this.#sweep().catch(() => {});
    }, SWEEP).unref();
  }

  async *placeFlow(
    flow: PlacedFlow,
    { signal }: { signal?: AbortSignal | undefined },
  ): AsyncIterable<FlowEvent> {
    // The one before may just be on its way out.
    await this.#keepers.get(flow.id)?.free(PATIENCE);
    if (signal?.aborted) return;
    const keeper = this.#keepers.get(flow.id) ?? this.#keep(flow);
    keeper.update(flow);
    const events: FlowEvent[] = [];
    let wake = Promise.withResolvers<void>();
    const stop = keeper.listen((event) => {
      events.push(event);
      wake.resolve();
    });
    const end = () => wake.resolve();
    signal?.addEventListener('abort', end);
    try {
      while (!signal?.aborted) {
        wake = Promise.withResolvers<void>();
        while (events.length > 0) yield events.shift()!;
        if (!signal?.aborted) await wake.promise;
      }
    } finally {
      signal?.removeEventListener('abort', end);
      stop();
    }
  }

  async removeFlow(id: string): Promise<void> {
    const keeper = this.#keepers.get(id);
    if (!keeper) return;
    await keeper.remove();
    await this.#dropIfOver(id, keeper);
  }

  async operators(): Promise<OperatorStatus[]> {
    return [...this.#keepers.values()].flatMap((keeper) => keeper.statuses());
  }

  async moveOperator(flow: string, operator: string, site: string): Promise<OperatorStatus> {
    return this.#keeperOf(flow, operator).move(operator, site);
  }

  async scaleOperator(flow: string, operator: string, instances: number): Promise<OperatorStatus> {
    return this.#keeperOf(flow, operator).scale(operator, instances);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    this.#ignore();
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.close()));
    await this.#sweeping;
  }

  #keeperOf(flow: string, operator: string): FlowKeeper {
    const keeper = this.#keepers.get(flow);
    if (!keeper) throw new OperatorUnknownError(flow, operator);
    return keeper;
  }

  #keep(flow: PlacedFlow): FlowKeeper {
    this.#table.putFlow(flow);
    const keeper = new FlowKeeper(flow, { view: this.#view, table: this.#table });
    this.#keepers.set(flow.id, keeper);
    return keeper;
  }

  async #dropIfOver(id: string, keeper: FlowKeeper): Promise<void> {
    if (!keeper.isOver) return;
    this.#keepers.delete(id);
    this.#table.removeFlow(id);
    await keeper.close();
  }

  /** Ends instances at other hosts that a crash, or a host that was away, has left. */
  async #sweep(): Promise<void> {
    for (const [id, keeper] of this.#keepers) await this.#dropIfOver(id, keeper);
    const { peerId: self } = this.#view.self;
    const { signal } = this.#closing;
    for (const { peerId, isUp } of this.#view.hosts()) {
      if (signal.aborted) return;
      if (!isUp) continue;
      const runtime = this.#view.runtime(peerId);
      const report = await runtime.look(self, [], signal).catch(() => undefined);
      for (const { instance } of report?.instances ?? []) {
        const isKnown = [...this.#keepers.values()].some((keeper) => keeper.known.has(instance));
        if (!isKnown && !signal.aborted) await runtime.remove(self, instance, signal).catch(() => {});
      }
    }
  }
}
