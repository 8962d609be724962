import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Podman } from '../../containers/podman';
import { startChild } from '../in-place';
import type { MovingHosts } from '../with-hosts';

const NAME = 'bench-moving';

/** Moves a container as one does with podman: checkpoint to a file, copy it over the link, restore. */
export class PodmanMove {
  readonly #podman: Podman;
  readonly #folder: string;

  constructor(private readonly hosts: MovingHosts) {
    this.#folder = join(hosts.folder, 'podman');
    this.#podman = new Podman(this.#folder);
  }

  /** Runs a command without a network, with the mounts of the hosts. */
  async run(command: readonly string[]): Promise<void> {
    const mounts = this.hosts.mounts.flatMap(({ source, target }) => ['--volume', `${source}:${target}`]);
    const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
    await this.#podman.pull(this.hosts.image);
    await this.#podman.command(
      ...['run', '--detach', '--name', NAME, '--network', 'none', ...limits, ...mounts],
      ...[this.hosts.image, ...command],
    );
  }

  async move(): Promise<void> {
    const [left, arrived] = [join(this.#folder, 'left.tar'), join(this.#folder, 'arrived.tar')];
    await this.#podman.command('container', 'checkpoint', '--export', left, NAME);
    await this.#copy(left, arrived);
    // Both ends are one store, in which a name is there once.
    await this.#podman.command('container', 'restore', '--import', arrived, '--name', `${NAME}-on`);
  }

  async close(): Promise<void> {
    await this.#podman.command('rm', '--force', '--all', '--time', '0').catch(() => {});
    // A clean-up that conmon has begun may still mount its store.
    for (let tries = 0; tries < 20; tries += 1) {
      try {
        return await this.#podman.close();
      } catch {
        await sleep(500);
      }
    }
    await this.#podman.close();
  }

  async #copy(from: string, to: string): Promise<void> {
    const [{ place: source }, { place: target }] = this.hosts.hosts;
    const server = startChild(source, 'copy.js', 'serve', from, source.address);
    const [port] = await once(createInterface({ input: server.stdout! }), 'line');
    const client = startChild(target, 'copy.js', 'fetch', source.address, port, to);
    const [status] = await once(client, 'exit');
    if (status !== 0) throw new Error(`the copy failed (status ${status})`);
  }
}
