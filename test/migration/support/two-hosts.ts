import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerSpec, ContainerStatus } from '../../../lib';
import { DataDirectory } from '../../../lib/base';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import { eventually } from '../../mesh/support/mesh-process';
import { type CliResult, garua, spawnGarua } from '../../support/garua';
import { busyboxLayer, makeImage } from '../../support/images';
import { startRegistry, type TestRegistry } from '../../support/registry';

export type HostName = 'ada' | 'bob';

/** Counts in its memory, and leaves each number at a place that both hosts see: no number may come twice. */
export const COUNTER =
  'n=0; while :; do n=$((n+1)); echo $n >> /shared/numbers; echo $n > /last; echo count $n; sleep 0.05; done';

/** Two daemons of one fog on this machine, each with a data directory of its own. */
export class TwoHosts {
  readonly path = mkdtempSync(join(tmpdir(), 'garua-migration-'));
  readonly shared = join(this.path, 'shared');
  readonly #env = new Map<HostName, NodeJS.ProcessEnv>();
  readonly #daemons = new Map<HostName, ChildProcess>();
  #registry: TestRegistry | undefined;
  image = '';

  /** `prepare` is called before a daemon starts for the first time, and gives the environment of all its runs. */
  static async start(
    prepare: (hosts: TwoHosts, name: HostName) => NodeJS.ProcessEnv = () => process.env,
  ): Promise<TwoHosts> {
    const hosts = new TwoHosts();
    for (const name of ['ada', 'bob'] as const) hosts.#env.set(name, prepare(hosts, name));
    mkdirSync(hosts.shared);
    hosts.#registry = await startRegistry();
    hosts.image = `${hosts.#registry.host}/fog/box:1`;
    const config = { Env: ['PATH=/bin'] };
    await hosts.#registry.push(makeImage({ layers: [busyboxLayer()], config }), 'fog/box', '1');
    await hosts.daemon('ada');
    await hosts.daemon('bob');
    const invite = await hosts.ask('ada', async (host) => {
      await host.fogCreate();
      return host.fogInvite();
    });
    await hosts.ask('bob', (host) => host.fogJoin(invite));
    await hosts.met();
    return hosts;
  }

  data(host: HostName): string {
    return join(this.path, host);
  }

  garua(host: HostName, ...words: string[]): Promise<CliResult> {
    return garua(this.data(host), ...words);
  }

  async daemon(name: HostName): Promise<void> {
    const words = ['host', '--name', name, '--site', name, '--listen', '/ip4/127.0.0.1/tcp/0'];
    const { child } = spawnGarua(this.data(name), words, this.#env.get(name));
    this.#daemons.set(name, child);
    await once(child.stderr!, 'data');
  }

  /** Asks a daemon, over its socket: far quicker than a command. */
  async ask<T>(name: HostName, use: (host: Host) => Promise<T>): Promise<T> {
    const host = await openHost({ socket: new DataDirectory(this.data(name)).controlSocket });
    try {
      return await use(host);
    } finally {
      await host.close();
    }
  }

  /** Until both see each other. */
  async met(): Promise<void> {
    for (const name of ['ada', 'bob'] as const) {
      await eventually(
        async () => {
          const sites = await this.ask(name, (host) => host.sites());
          return sites.flatMap(({ hosts }) => hosts.map(({ state }) => state)).join();
        },
        'up,up',
        60_000,
      );
    }
  }

  /** From now on images come from hosts that have them, or not at all. */
  async withoutRegistry(): Promise<void> {
    await this.#registry?.stop();
    this.#registry = undefined;
  }

  async kill(name: HostName): Promise<void> {
    const child = this.#daemons.get(name)!;
    const exit = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await exit;
    }
  }

  /** Runs a counter, with a volume when one is named. */
  async count(name: string, volume?: string): Promise<void> {
    const shared = { type: 'bind', source: this.shared, target: '/shared' } as const;
    const kept = volume ? [{ type: 'volume', source: volume, target: '/keep' } as const] : [];
    await this.run('ada', { name, command: ['sh', '-c', COUNTER], mounts: [shared, ...kept] });
    await this.counts(3);
  }

  async run(host: HostName, spec: Partial<ContainerSpec>): Promise<void> {
    await this.ask(host, (all) => all.deploy({ image: this.image, network: 'none', ...spec }));
  }

  async ps(host: HostName): Promise<ContainerStatus[]> {
    return this.ask(host, (all) => all.containers());
  }

  /** What a command in the container prints. */
  async inside(host: HostName, name: string, command: string): Promise<string> {
    return this.ask(host, async (all) => {
      let text = '';
      for await (const part of all.exec(name, ['sh', '-c', command])) if ('text' in part) text += part.text;
      return text;
    });
  }

  numbers(): number[] {
    const file = join(this.shared, 'numbers');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
  }

  /** Until so many more numbers have come. */
  async counts(more: number): Promise<void> {
    const start = this.numbers().length;
    const end = performance.now() + 60_000;
    while (this.numbers().length < start + more) {
      if (performance.now() > end) throw new Error(`it has stopped at ${start}`);
      await delay(50);
    }
  }

  /** Removes the container wherever it is, and its numbers. */
  async clear(name: string): Promise<void> {
    for (const host of ['ada', 'bob'] as const) {
      await this.ask(host, (all) => all.remove(name, { force: true, graceMs: 0 })).catch(() => {});
    }
    rmSync(join(this.shared, 'numbers'), { force: true });
  }

  async stop(): Promise<void> {
    for (const host of ['ada', 'bob'] as const) {
      for (const { name } of await this.ps(host).catch(() => [])) {
        await this.ask(host, (all) => all.remove(name, { force: true, graceMs: 0 })).catch(() => {});
      }
    }
    for (const name of this.#daemons.keys()) await this.kill(name);
    await this.#registry?.stop();
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    for (const line of mounts) {
      const point = line.split(' ')[4];
      if (point?.startsWith(`${this.path}/`)) execFileSync('umount', ['-l', point]);
    }
    rmSync(this.path, { recursive: true, force: true });
  }
}
