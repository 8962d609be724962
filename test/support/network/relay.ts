import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

/** Beside the source of this file, which runs as dist/test/support/network/relay.js. */
const SOURCE = resolve(__dirname, '../../../../test/support/network/relay.c');

/** Bytes that went from each site to each other, by their numbers. */
export type Traffic = number[][];

/** The process that carries packets between sites; compiled at its first use, as nobody ships it. */
export class Relay {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #folder: string;
  readonly #gone: Promise<never>;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#lines = createInterface({ input: child.stdout! });
    child.stdin!.on('error', () => {});
    this.#gone = once(child, 'exit').then(() => {
      throw new Error('the relay between the sites has ended');
    });
    this.#gone.catch(() => {});
  }

  /** Connects sites by TUN devices `wan0` in their namespaces, so many milliseconds from each other. */
  static async start(namespaces: string[], delayMs: number): Promise<Relay> {
    const folder = mkdtempSync(join(tmpdir(), 'garua-relay-'));
    const program = join(folder, 'relay');
    execFileSync('gcc', ['-O2', '-Wall', '-o', program, SOURCE]);
    const words = [String(delayMs * 1000), ...namespaces];
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    const relay = new Relay(child, folder);
    await relay.#answer();
    return relay;
  }

  /** What is on its way into or out of the site is lost, without a word. */
  cut(site: number): void {
    this.#child.stdin!.write(`cut ${site}\n`);
  }

  heal(site: number): void {
    this.#child.stdin!.write(`heal ${site}\n`);
  }

  async traffic(): Promise<Traffic> {
    this.#child.stdin!.write('count\n');
    return JSON.parse(await this.#answer());
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.stdin!.end();
      await exit;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answer(): Promise<string> {
    return Promise.race([once(this.#lines, 'line').then(([line]) => line as string), this.#gone]);
  }
}
