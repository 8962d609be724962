import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import { benchEnvironment, measure } from '../harness/processes';
import { removeTree } from '../harness/work-area';
import type { Puller, PullerSetting } from './puller';
import { toolVersion } from './version';

export class PodmanPuller implements Puller {
  readonly name = 'podman';
  readonly #globals: string[];
  readonly #env: NodeJS.ProcessEnv;

  constructor(private readonly setting: PullerSetting) {
    const { folder } = setting;
    this.#globals = [
      ...['--root', join(folder, 'root'), '--runroot', join(folder, 'run')],
      ...['--storage-driver', 'overlay', '--events-backend', 'none', '--cgroup-manager', 'cgroupfs'],
    ];
    // Blobs pass through TMPDIR: it belongs on the storage under test.
    this.#env = benchEnvironment({ TMPDIR: join(folder, 'tmp') });
  }

  available() {
    return toolVersion('podman', ['podman', '--version']);
  }

  async prepare() {
    await this.cleanup();
    mkdirSync(join(this.setting.folder, 'tmp'), { recursive: true });
    // Makes the empty store, as a daemon's start does for the others.
    await execute('podman', [...this.#globals, 'images', '--quiet'], { env: this.#env });
  }

  pull(ref: string) {
    const args = [...this.#globals, 'pull', '--quiet', '--tls-verify=false', ref];
    return measure('podman', args, { env: this.#env });
  }

  cleanup() {
    return removeTree(this.setting.folder);
  }
}
