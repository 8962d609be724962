import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import { type Daemon, measure, startDaemon, waitFor } from '../harness/processes';
import { removeTree } from '../harness/work-area';
import type { Puller, PullerSetting } from './puller';
import { toolVersion } from './version';

export class ContainerdPuller implements Puller {
  readonly name = 'containerd';
  #daemon: Daemon | undefined;

  constructor(private readonly setting: PullerSetting) {}

  available() {
    return toolVersion('containerd', ['ctr', '--version'], ['containerd', '--version']);
  }

  async prepare() {
    await this.cleanup();
    const { folder } = this.setting;
    mkdirSync(folder, { recursive: true });
    const config = join(folder, 'config.toml');
    writeFileSync(
      config,
      `version = 2
root = "${join(folder, 'root')}"
state = "${join(folder, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${this.#socket}"
`,
    );
    this.#daemon = startDaemon('containerd', ['--config', config], join(folder, 'log'));
    await waitFor('containerd', this.#daemon, () => execute('ctr', ['--address', this.#socket, 'version']));
  }

  pull(ref: string) {
    const args = ['--address', this.#socket, '--namespace', 'bench', 'image', 'pull', '--plain-http'];
    return measure('ctr', [...args, '--snapshotter', 'overlayfs', ref]);
  }

  async cleanup() {
    await this.#daemon?.stop();
    this.#daemon = undefined;
    await removeTree(this.setting.folder);
  }

  get #socket(): string {
    return join(this.setting.folder, 'containerd.sock');
  }
}
