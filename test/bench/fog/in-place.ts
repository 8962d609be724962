import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { HostPlace } from '../../support/network';

/** Starts one of `children/` in a place of the network. It ends with the network at the latest. */
export function startInPlace(place: HostPlace, script: string, ...words: string[]): ChildProcess {
  const program = [process.execPath, join(__dirname, 'children', script), ...words];
  return spawn('ip', ['netns', 'exec', place.namespace, ...program], { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** Runs one to its end; answers what it printed. */
export async function runInPlace<T>(place: HostPlace, script: string, ...words: string[]): Promise<T> {
  const child = startInPlace(place, script, ...words);
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`${script} ${words.join(' ')} failed (status ${status})`);
  return JSON.parse(output) as T;
}

/** The bare line to a place: milliseconds that bytes take over TCP, and those of round trips. */
export class BareLine {
  readonly #server: ChildProcess;
  readonly #words: [string, string];

  private constructor(server: ChildProcess, words: [string, string]) {
    this.#server = server;
    this.#words = words;
  }

  /** To `place`, which sends so many bytes whenever it is asked. */
  static async open(place: HostPlace, bytes = 1): Promise<BareLine> {
    const server = startInPlace(place, 'bare-tcp.js', 'serve', String(bytes));
    const [port] = await once(createInterface({ input: server.stdout! }), 'line');
    return new BareLine(server, [place.address, port]);
  }

  transfer(from: HostPlace, bytes: number): Promise<number> {
    return runInPlace(from, 'bare-tcp.js', 'get', ...this.#words, String(bytes));
  }

  roundTrips(from: HostPlace, times: number): Promise<number[]> {
    return runInPlace(from, 'bare-tcp.js', 'ping', ...this.#words, String(times));
  }

  close(): void {
    this.#server.kill();
  }
}
