import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import { type Daemon, measure, startDaemon, waitFor } from '../harness/processes';
import { removeTree } from '../harness/work-area';
import type { Puller, PullerSetting } from './puller';
import { toolVersion } from './version';

export class DockerPuller implements Puller {
  readonly name = 'docker';
  #daemon: Daemon | undefined;

  constructor(private readonly setting: PullerSetting) {}

  available() {
    return toolVersion('docker.io', ['docker', '--version'], ['dockerd', '--version']);
  }

  async prepare() {
    await this.cleanup();
    const { folder, registry } = this.setting;
    mkdirSync(folder, { recursive: true });
    const config = join(folder, 'daemon.json');
    writeFileSync(
      config,
      JSON.stringify({
        'data-root': join(folder, 'root'),
        'exec-root': join(folder, 'exec'),
        pidfile: join(folder, 'docker.pid'),
        hosts: [this.#host],
        bridge: 'none',
        iptables: false,
        'storage-driver': 'overlay2',
        'insecure-registries': [registry],
      }),
    );
    this.#daemon = startDaemon('dockerd', ['--config-file', config], join(folder, 'log'));
    await waitFor('dockerd', this.#daemon, () => execute('docker', ['--host', this.#host, 'info']));
  }

  pull(ref: string) {
    return measure('docker', ['--host', this.#host, 'pull', '--quiet', ref]);
  }

  async cleanup() {
    await this.#daemon?.stop();
    this.#daemon = undefined;
    await removeTree(this.setting.folder);
  }

  get #host(): string {
    return `unix://${join(this.setting.folder, 'docker.sock')}`;
  }
}
