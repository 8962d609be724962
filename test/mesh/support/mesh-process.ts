import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fromErrorDocument } from '../../../lib/base';
import type { FogInfo, InviteOptions, MeshHost } from '../../../lib/mesh';
import type { ChildOptions } from './mesh-child';

/** A host in its own process, in a network namespace where one is named. */
export class MeshProcess {
  readonly options: ChildOptions & { namespace?: string };
  peerId = '';
  /** What it wrote to stderr. */
  noise = '';
  #child: ChildProcess | undefined;
  #lastId = 0;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  constructor(options: ChildOptions & { namespace?: string }) {
    this.options = options;
  }

  static async start(options: ChildOptions & { namespace?: string }): Promise<MeshProcess> {
    const host = new MeshProcess(options);
    await host.start();
    return host;
  }

  get name(): string {
    return this.options.name;
  }

  async start(): Promise<void> {
    const { namespace, ...options } = this.options;
    const script = join(__dirname, 'mesh-child.js');
    const command = [process.execPath, script, JSON.stringify(options)];
    const all = namespace ? ['ip', 'netns', 'exec', namespace, ...command] : command;
    const child = spawn(all[0]!, all.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (text) => {
      this.noise += text;
    });
    child.stdin.on('error', () => {});
    this.peerId = await new Promise<string>((resolve, reject) => {
      child.once('exit', () => {
        const gone = new Error(`${this.name} has ended: ${this.noise}`);
        reject(gone);
        for (const { reject: fail } of this.#waiting.values()) fail(gone);
        this.#waiting.clear();
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        const message = JSON.parse(line);
        if (message.ready) return resolve(message.ready);
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.error) waiting?.reject(fromErrorDocument(message.error));
        else waiting?.resolve(message.result);
      });
    });
  }

  ask<T>(method: string, ...parameters: unknown[]): Promise<T> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#child!.stdin!.write(`${JSON.stringify({ id, method, parameters })}\n`);
    });
  }

  hosts = () => this.ask<MeshHost[]>('hosts');
  fog = () => this.ask<FogInfo | null>('fog');
  createFog = (name: string) => this.ask<FogInfo>('createFog', name);
  invite = (options: InviteOptions = {}) => this.ask<string>('invite', options);
  join = (invite: string) => this.ask<FogInfo>('join', invite);
  revoke = (host: string) => this.ask<MeshHost>('revoke', host);

  /** Names of the hosts it sees in a state, itself too. */
  async names(state: MeshHost['state'] = 'up'): Promise<string> {
    const hosts = await this.hosts();
    return hosts
      .filter((host) => host.state === state)
      .map((host) => host.name)
      .sort()
      .join(' ');
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    this.ask('close').catch(() => {});
    await exit;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}

/** Asks again until the answer is as wanted; fails with the last answer. */
export async function eventually<T>(what: () => Promise<T>, wanted: T, milliseconds = 20_000): Promise<void> {
  const end = performance.now() + milliseconds;
  let last: unknown;
  while (performance.now() < end) {
    last = await what().catch((error) => error);
    if (last === wanted) return;
    await delay(100);
  }
  throw new Error(`after ${milliseconds} ms still ${String(last)} instead of ${String(wanted)}`);
}
