import type { Host, ScaleResult } from '../../lib/host';

/** How often instances are counted, in milliseconds: they come and go on other hosts, too. */
const INTERVAL = 5_000;

/** Says again and again how many instances of a scaled container are ready. */
export class ReplicaFollower {
  readonly #host: () => Promise<Host>;
  readonly #show: (name: string, ready: number, wanted: number) => void;
  #followed: ScaleResult | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: () => Promise<Host>, show: (name: string, ready: number, wanted: number) => void) {
    this.#host = host;
    this.#show = show;
  }

  /** Says it at once, if it is about this container. */
  tell(name: string): boolean {
    if (this.#followed?.name !== name) return false;
    this.#count(this.#followed);
    return true;
  }

  follow(result: ScaleResult): void {
    this.close();
    this.#followed = result;
    this.#timer = setInterval(() => void this.#look(), INTERVAL).unref();
  }

  leave(name: string): void {
    if (this.#followed?.name === name) this.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#followed = undefined;
  }

  async #look(): Promise<void> {
    const before = this.#followed;
    try {
      const services = await (await this.#host()).services();
      // It may have ended meanwhile.
      if (!before || this.#followed !== before) return;
      const found = services.find(({ name }) => name === before.service)?.instances ?? [];
      this.#followed = { ...before, instances: found.filter(({ container }) => container === before.name) };
      this.#count(this.#followed);
    } catch {
      // The host does not answer now: the next look is soon.
    }
  }

  #count({ name, instances, replicas }: ScaleResult): void {
    this.#show(name, instances.filter(({ state }) => state === 'ready').length, replicas);
  }
}
