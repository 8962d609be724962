import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { HostPlace } from '../../support/network';
import { INTERVAL_MS } from './gaps';
import { startChild } from './in-place';

/** Clients that ask an HTTP server over and over, in one place or in several: a client that moves along. */
export class Poller {
  /** When there was an answer, in microseconds. */
  readonly times: number[] = [];
  failed = 0;
  readonly #children: ChildProcess[] = [];

  ask(place: HostPlace, address: string, port: number, intervalMs = INTERVAL_MS): void {
    const child = startChild(place, 'poll.js', address, String(port), String(intervalMs));
    this.#children.push(child);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const [time, outcome] = line.split(' ');
      if (outcome === 'answered') this.times.push(Number(time));
      else this.failed += 1;
    });
  }

  stop(): void {
    for (const child of this.#children) child.kill();
  }
}
