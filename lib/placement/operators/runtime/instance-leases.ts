import { LeaseBook, type Resources } from '../../controller';
import type { InstanceTable } from './instance-table';
import type { InstanceSpec } from './runtime';

/** Without a renewal: whoever looks at the host renews them. */
const LEASE_SECONDS = 300;

type Shares = Pick<InstanceSpec, 'owner' | 'operator' | 'slot'>;

/**
 * What this host has lent to the instances that it runs. An instance and the one that is about to take its place share
 * a lease, as large as the larger of them: only one of them gets messages.
 */
export class InstanceLeases {
  readonly #table: InstanceTable;
  readonly #book: LeaseBook;

  constructor(table: InstanceTable, capacity: Resources) {
    this.#table = table;
    this.#book = new LeaseBook({ ...capacity, now: () => performance.now() });
    this.renew();
  }

  get free(): Resources {
    return this.#book.free;
  }

  /** What runs has its share, whether its owner is there or not. */
  renew(): void {
    this.#renew(this.#specs());
  }

  /** For an instance that is to start. @throws {LeaseRefusedError} */
  take(spec: InstanceSpec): void {
    this.renew();
    this.#request(spec);
  }

  /** An instance is no more; its successor keeps what it needs itself. */
  giveBack(spec: InstanceSpec): void {
    const rest = this.#sharing(spec);
    if (rest.length > 0) this.#renew(rest);
    else {
      const held = this.#book.leases.find(({ purpose }) => purpose === purposeOf(spec));
      if (held) this.#book.release(held.id);
    }
  }

  #renew(specs: InstanceSpec[]): void {
    for (const [, [first]] of Map.groupBy(specs, purposeOf)) {
      try {
        this.#request(first!);
      } catch {
        // The machine has less than it had; what runs goes on.
      }
    }
  }

  #request(spec: InstanceSpec): void {
    const all = [spec, ...this.#sharing(spec)];
    const most = (of: 'cpu' | 'memory') => Math.max(...all.map((each) => each[of]));
    const { owner } = spec;
    const lease = { owner, purpose: purposeOf(spec), cpu: most('cpu'), memory: most('memory') };
    this.#book.request({ ...lease, seconds: LEASE_SECONDS });
  }

  #sharing(spec: Shares): InstanceSpec[] {
    return this.#specs().filter((other) => purposeOf(other) === purposeOf(spec));
  }

  #specs(): InstanceSpec[] {
    return this.#table.all().map(({ spec }) => spec);
  }
}

/** Two owners may each have an operator of the same name. */
const purposeOf = ({ owner, operator, slot }: Shares) => `${owner}/${operator}#${slot}`;
