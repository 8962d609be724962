import { type ErrorDocument, toGaruaError } from '../../../base';
import type { FlowEvent, OperatorStatus, PlacedFlow, PlacedOperator } from '../flow';
import { OperatorUnknownError } from './errors';
import type { FogView } from './fog-view';
import type { OperatorFigures } from './observe';
import type { OperatorRecord, OwnerTable } from './records';
import { instanceName, partitionsOf, subscribersOf } from './specs';
import { statusOf } from './status';
import type { SurveyedHost } from './survey';

/** How long a host that has refused an operator is not asked again, in ms. */
const REFUSAL = 60_000;

/** What the keeper of a flow knows, and whom it tells. */
export class FlowState {
  flow: PlacedFlow;
  readonly view: FogView;
  readonly signal: AbortSignal;
  readonly records = new Map<string, OperatorRecord>();
  readonly errors = new Map<string, ErrorDocument>();
  readonly figures = new Map<string, OperatorFigures>();
  readonly listeners = new Set<(event: FlowEvent) => void>();
  /** As they were in the last round. */
  hosts: SurveyedHost[] = [];
  readonly #table: OwnerTable;
  /** Until when which host is not asked for which operator. */
  readonly #refusals = new Map<string, number>();
  readonly #told = new Map<string, string>();

  constructor(flow: PlacedFlow, view: FogView, table: OwnerTable, signal: AbortSignal) {
    this.flow = flow;
    this.view = view;
    this.signal = signal;
    this.#table = table;
    for (const record of table.records(flow.id)) this.records.set(record.operator, record);
  }

  /** The owner's peer ID. */
  get self(): string {
    return this.view.self.peerId;
  }

  /** Whether a host is one of the fog, be it up or not. */
  isMember(peerId: string): boolean {
    return this.view.hosts().some((host) => host.peerId === peerId);
  }

  setFlow(flow: PlacedFlow): void {
    this.flow = flow;
    this.#table.putFlow(flow);
  }

  operator(id: string): PlacedOperator {
    const found = this.flow.operators.find((operator) => operator.id === id || operator.name === id);
    if (!found) throw new OperatorUnknownError(this.flow.id, id);
    return found;
  }

  recordOf({ id, name, keyed, instances }: PlacedOperator): OperatorRecord {
    const known = this.records.get(id);
    if (known) return known;
    const record: OperatorRecord = {
      // Above all that hosts remember of one that was removed, or of an owner that has lost its database.
      epoch: Math.floor(Date.now() / 1000),
      ...{ operator: id, name, next: 1, instances: [], move: null, pin: null },
      owners: new Array(partitionsOf({ keyed })).fill(null),
      ...{ wanted: instances.least, isScaledByHand: false, reason: '' },
    };
    this.records.set(id, record);
    this.save(record);
    return record;
  }

  instance(operator: string, number: number): string {
    return instanceName(this.self, this.flow.id, operator, number);
  }

  subscribers({ id, keyed }: PlacedOperator, partitions: number[]): string[] {
    return subscribersOf(this.self, this.flow.id, id, partitions, keyed);
  }

  /** All that is known of an operator goes. */
  drop({ operator }: OperatorRecord): void {
    this.#table.remove(this.flow.id, operator);
    for (const map of [this.records, this.errors, this.figures, this.#told]) map.delete(operator);
  }

  save(record: OperatorRecord): void {
    this.#table.put(this.flow.id, record);
  }

  /** What fails is the operator's status, and tried again. @returns whether it was done */
  async attempt(operator: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.errors.delete(operator);
      return true;
    } catch (error) {
      this.fail(operator, toGaruaError(error, `operator ${operator}`).toJSON());
      return false;
    }
  }

  fail(operator: string, document: ErrorDocument): void {
    this.errors.set(operator, document);
  }

  refuse(operator: string, peerId: string, error: unknown): void {
    this.#refusals.set(`${operator} ${peerId}`, performance.now() + REFUSAL);
    if (error !== undefined) this.fail(operator, toGaruaError(error, 'starting the operator').toJSON());
  }

  /** Asks again, for one operator or for all. */
  forgetRefusals(operator = ''): void {
    for (const key of this.#refusals.keys()) if (key.startsWith(operator)) this.#refusals.delete(key);
  }

  isRefused(operator: string, peerId: string): boolean {
    return (this.#refusals.get(`${operator} ${peerId}`) ?? 0) > performance.now();
  }

  statuses(): OperatorStatus[] {
    return this.flow.operators.map((operator) => statusOf(this, operator));
  }

  emit(event: FlowEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  /** Tells of each operator whose status is another now. */
  tell(): void {
    for (const status of this.statuses()) {
      const text = JSON.stringify({ ...status, rate: null, cores: null, waiting: 0 });
      if (this.#told.get(status.operator) === text) continue;
      this.#told.set(status.operator, text);
      this.emit({ type: 'status', status });
    }
  }
}
