import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { InvalidArgumentError, SingleFlight } from '../../base';

/** A measurement is as good as a new one for so long, in milliseconds. */
const FRESH = 2_000;
/** For one connection, in milliseconds. */
const PATIENCE = 2_000;
/** Measurements that a host makes in so many milliseconds, whoever asks: nobody scans a network with it. */
const MOST = 20;
const WINDOW = 10_000;
/** Addresses that are remembered. */
const KEPT = 100;

export interface Address {
  host: string;
  port: number;
}

/** Reads `HOST:PORT` or `[IPV6]:PORT`; undefined for what is none. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [bracketed ?? plain, Number(digits)];
  return host !== undefined && port > 0 && port < 65_536 ? { host, port } : undefined;
}

/** Measures how long TCP connections take to be made, or refused: one round trip. */
export class ConnectTime {
  readonly #known = new Map<string, { ms: number | null; at: number }>();
  readonly #measuring = new SingleFlight<number | null>();
  readonly #now: () => number;
  #recent: number[] = [];

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Milliseconds, those of last time when too much was measured lately; null when nothing answers. */
  async measure(text: string): Promise<number | null> {
    const address = parseAddress(text);
    if (!address) throw new InvalidArgumentError(`"${text}" is no address`, 'Write ADDRESS:PORT.');
    const known = this.#known.get(text);
    if (known && this.#now() - known.at < FRESH) return known.ms;
    return this.#measuring.run(text, async () => {
      // Not measured is not unreachable.
      if (!this.#mayMeasure()) return known?.ms ?? null;
      const ms = await connectTime(address);
      this.#keep(text, ms);
      return ms;
    });
  }

  #mayMeasure(): boolean {
    const now = this.#now();
    this.#recent = this.#recent.filter((at) => now - at < WINDOW);
    if (this.#recent.length >= MOST) return false;
    this.#recent.push(now);
    return true;
  }

  #keep(text: string, ms: number | null): void {
    this.#known.delete(text);
    this.#known.set(text, { ms, at: this.#now() });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
  }
}

async function connectTime({ host, port }: Address): Promise<number | null> {
  // The search for the name is not part of the way.
  const found = await lookup(host).catch(() => undefined);
  if (!found) return null;
  return new Promise((resolve) => {
    const started = performance.now();
    const socket = connect({ host: found.address, port, timeout: PATIENCE });
    const settle = (isAnswered: boolean) => {
      socket.destroy();
      resolve(isAnswered ? Math.round((performance.now() - started) * 100) / 100 : null);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => settle(code === 'ECONNREFUSED'));
  });
}
