import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { HostPlace } from '../../../support/network';
import { startInPlace } from '../in-place';

interface Answer<T> {
  result: T;
  seconds: number;
}

/** Plain IPFS in a place of the network, see `children/bitswap-host.ts`. One call at a time. */
export class BitswapHost {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #gone: Promise<never>;

  private constructor(child: ChildProcess, lines: Interface, address: string, gone: Promise<never>) {
    this.#child = child;
    this.#lines = lines;
    this.address = address;
    this.#gone = gone;
  }

  static async start(place: HostPlace, modules: string, data: string): Promise<BitswapHost> {
    const listen = `/ip4/${place.address}/tcp/4001`;
    const child = startInPlace(place, 'bitswap-host.js', modules, data, listen);
    const lines = createInterface({ input: child.stdout! });
    const gone = endOf(child);
    gone.catch(() => {});
    const [address] = await Promise.race([once(lines, 'line'), gone]);
    return new BitswapHost(child, lines, address, gone);
  }

  dial = (other: BitswapHost) => this.#ask<null>('dial', [other.address]);
  put = (files: string[]) => this.#ask<string[]>('put', files);
  get = (cids: string[]) => this.#ask<null>('get', cids);

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask<T>(method: string, words: string[]): Promise<Answer<T>> {
    this.#child.stdin!.write(`${JSON.stringify({ method, words })}\n`);
    const [line] = await Promise.race([once(this.#lines, 'line'), this.#gone]);
    return JSON.parse(line) as Answer<T>;
  }
}

async function endOf(child: ChildProcess): Promise<never> {
  await once(child, 'exit');
  throw new Error('a bitswap host has ended');
}
