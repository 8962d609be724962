import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import { benchEnvironment, type OutputTimes, timeOutput } from '../harness/processes';
import { removeTree } from '../harness/work-area';

/** podman with a store of its own, with runc as its runtime, as Garua has. */
export class Podman {
  readonly #globals: string[];
  readonly #env: NodeJS.ProcessEnv;

  constructor(private readonly folder: string) {
    this.#globals = [
      ...['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'overlay'],
      ...['--events-backend', 'none', '--cgroup-manager', 'cgroupfs', '--runtime', 'runc'],
    ];
    this.#env = benchEnvironment({ TMPDIR: join(folder, 'tmp') });
  }

  async pull(image: string): Promise<void> {
    mkdirSync(join(this.folder, 'tmp'), { recursive: true });
    await this.command('pull', '--quiet', '--tls-verify=false', image);
  }

  /** Runs any command to its end; answers what it printed. */
  async command(...args: string[]): Promise<string> {
    const options = { env: this.#env, timeoutMs: 120_000 };
    return (await execute('podman', [...this.#globals, ...args], options)).stdout.trim();
  }

  run(image: string, network: string, command: string[]): Promise<OutputTimes> {
    // A process may not raise its limits here; podman's default asks for that.
    const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
    const args = ['run', '--rm', '--network', network, ...limits, image, ...command];
    return timeOutput('podman', [...this.#globals, ...args], this.#env);
  }

  async close(): Promise<void> {
    await removeTree(this.folder);
  }
}
