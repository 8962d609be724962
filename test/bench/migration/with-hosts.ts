import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrateOptions, MigrationResult } from '../../../lib';
import { execute } from '../../../lib/base';
import { FogNetworkNamespaces, type NetworkHost, startHosts } from '../../support/network';
import type { Bench } from '../harness/bench';
import type { Delay } from '../harness/event-loop';
import { GARUA } from '../harness/garua';
import { PROJECT } from '../harness/paths';
import { removeTree } from '../harness/work-area';
import type { ImageName } from '../images/recipes';

/** What tc(8) does to what each host sends. */
export const LINKS = {
  '100mbit': { title: '100 Mbit/s', shape: ['rate', '100mbit', 'burst', '128kb', 'latency', '50ms'] },
  '20mbit': { title: '20 Mbit/s', shape: ['rate', '20mbit', 'burst', '32kb', 'latency', '50ms'] },
} as const;

export type LinkName = keyof typeof LINKS;

/** Beside the sources; this file runs from dist. */
const PROGRAMS = join(PROJECT, 'test/bench/migration/programs');
const METER = join(__dirname, 'children/event-loop.js');

/** Two hosts on one link, between which a container moves. */
export class MovingHosts {
  readonly folder: string;
  readonly image: string;
  readonly hosts: readonly [NetworkHost, NetworkHost];

  constructor(folder: string, image: string, hosts: [NetworkHost, NetworkHost]) {
    this.folder = folder;
    this.image = image;
    this.hosts = hosts;
  }

  /** Mounts of every container: its program, and a folder that all copies share. */
  get mounts() {
    return [
      { type: 'bind', source: this.programs, target: '/programs', readOnly: true },
      { type: 'bind', source: this.shared, target: '/shared' },
    ] as const;
  }

  get programs(): string {
    return join(this.folder, 'programs');
  }

  get shared(): string {
    return join(this.folder, 'shared');
  }

  /** Heartbeats of the program that runs. */
  beats(): number[] {
    const file = join(this.shared, 'beats');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
  }

  forgetBeats(): void {
    rmSync(join(this.shared, 'beats'), { force: true });
  }

  /** Moves a container, from the first host to the second unless others are named. @throws when it did not move */
  async move(
    name: string,
    options: Partial<MigrateOptions> = {},
    [source, target] = this.hosts,
  ): Promise<MigrationResult> {
    const outcome = await source.use((host) => host.migrate(name, { to: target.name, ...options }));
    const result = outcome as MigrationResult;
    if (result.outcome !== 'moved') throw new Error(`it did not move: ${JSON.stringify(result)}`);
    return result;
  }

  /** Runs a command in a container of the first host. */
  async inside(name: string, command: string): Promise<void> {
    await this.hosts[0].use(async (host) => {
      for await (const _ of host.exec(name, ['sh', '-c', command]));
    });
  }

  /** Removes a container, and its volumes, wherever it is. */
  async remove(name: string): Promise<void> {
    for (const host of this.hosts) {
      await host.use(async (all) => {
        const there = (await all.containers()).some((container) => container.name === name);
        if (there) await all.remove(name, { force: true, graceMs: 0 });
        for (const volume of await all.volumes()) await all.removeVolume(volume.name);
      });
    }
  }

  /** How late the event loops of both daemons were since the last call: the worse of each. */
  async eventLoop(): Promise<Delay> {
    const delays: Delay[] = [];
    for (const { pid } of this.hosts) {
      const file = join(this.folder, `event-loop-${pid}`);
      rmSync(file, { force: true });
      process.kill(pid, 'SIGUSR2');
      while (!existsSync(file)) await sleep(10);
      delays.push(JSON.parse(readFileSync(file, 'utf8')));
    }
    return delays.sort((a, b) => b.p99 - a.p99)[0]!;
  }
}

/** Starts two hosts on a link of this rate, which both have the image. */
export async function withHosts<T>(
  bench: Bench,
  { name, link, image }: { name: string; link: LinkName; image: ImageName },
  use: (hosts: MovingHosts) => Promise<T>,
): Promise<T> {
  await bench.images.ensure(image);
  const ref = bench.images.reference(image);
  const folder = bench.area.folder('disk', name);
  for (const part of ['shared', 'programs']) bench.area.folder('disk', name, part);
  execFileSync('gcc', ['-O2', '-static', '-o', join(folder, 'programs/memory'), join(PROGRAMS, 'memory.c')]);
  execFileSync('cp', [join(PROGRAMS, 'server.js'), join(folder, 'programs')]);
  // Their namespaces have no way to the registry.
  for (const host of ['north0', 'north1']) {
    const words = ['pull', ref, '--insecure', '--data', join(folder, host)];
    await execute(process.execPath, [GARUA, ...words], { timeoutMs: 120_000 });
  }
  const network = await FogNetworkNamespaces.open({ sites: 1, hosts: 2 });
  let hosts: NetworkHost[] = [];
  try {
    const env = { GARUA_BENCH_EVENT_LOOP: join(folder, 'event-loop') };
    hosts = await startHosts(network, folder, { nodeOptions: ['--require', METER], env });
    for (const { namespace } of network.places) {
      const device = ['-n', namespace, 'qdisc', 'add', 'dev', 'eth0', 'root'];
      execFileSync('tc', [...device, 'tbf', ...LINKS[link].shape]);
    }
    return await use(new MovingHosts(folder, ref, hosts as [NetworkHost, NetworkHost]));
  } finally {
    for (const host of hosts) await host.stop('SIGTERM');
    await network.close();
    await removeTree(folder);
  }
}
