import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../../lib/base';
import { CACHE } from '../../harness/paths';
import { removeTree } from '../../harness/work-area';
import type { BenchImage } from '../../images/layout';
import type { MovingHosts } from '../with-hosts';

const ENOSYS = 38;
const ID = 'garua-bench-plain';
/** Images on a disk would cost the disk's time. */
const IMAGES = '/dev/shm/garua-bench/plain';

/** runc alone, on one host, without a copy: the least that a checkpoint and a restore take. */
export class PlainRunc {
  readonly #bundle: string;
  readonly #root: string;

  constructor(private readonly hosts: MovingHosts) {
    this.#bundle = join(hosts.folder, 'plain');
    this.#root = join(hosts.folder, 'plain-state');
  }

  /** Runs a command of an image, in a network namespace when one is named, with the mounts of the hosts. */
  async run(image: BenchImage, command: readonly string[], namespace?: string): Promise<void> {
    const rootfs = join(this.#bundle, 'rootfs');
    mkdirSync(rootfs, { recursive: true });
    for (const { digest } of image.layers) {
      const blob = join(CACHE, 'images/blobs', digest.replace(':', '/'));
      await execute('tar', ['-xzf', blob, '-C', rootfs], { timeoutMs: 60_000 });
    }
    await execute('runc', ['spec', '--bundle', this.#bundle]);
    const file = join(this.#bundle, 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    const env = ['PATH=/bin'];
    config.process = { ...config.process, terminal: false, args: command, env, rlimits: [] };
    config.root.readonly = false;
    // A server that is asked all the time has always one who waits to be accepted.
    const options = join(this.#bundle, 'criu.conf');
    writeFileSync(options, 'skip-in-flight\n');
    // Without a profile Node.js would use io_uring, which CRIU cannot write.
    config.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['io_uring_setup'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS }],
    };
    config.annotations = { 'org.criu.config': options };
    config.mounts.push(
      ...this.hosts.mounts.map(({ source, target }) => ({
        ...{ destination: target, source, type: 'bind', options: ['rbind', 'rw'] },
      })),
    );
    if (namespace !== undefined) {
      const own = config.linux.namespaces.find(({ type }: { type: string }) => type === 'network');
      own.path = `/run/netns/${namespace}`;
    }
    writeFileSync(file, JSON.stringify(config));
    await this.#detached('run');
  }

  /** Writes it to memory and brings it back. */
  async checkpointAndRestore(): Promise<void> {
    await removeTree(IMAGES);
    mkdirSync(IMAGES, { recursive: true });
    const images = ['--image-path', IMAGES, '--work-path', this.#bundle, '--tcp-established'];
    await this.#runc('checkpoint', ...images, ID);
    await this.#detached('restore', ...images);
  }

  async close(): Promise<void> {
    await this.#runc('delete', '--force', ID).catch(() => {});
    for (const folder of [IMAGES, this.#bundle, this.#root]) await removeTree(folder);
  }

  /** What it says goes through a pipe, which a checkpoint can do without; a file of the host it could not. */
  async #detached(command: string, ...words: string[]): Promise<void> {
    const log = join(this.#bundle, `${command}.log`);
    const script = 'log=$1; shift; exec "$@" < /dev/null > >(exec cat > "$log" 2> /dev/null) 2>&1';
    const runc = ['runc', '--root', this.#root, command, '-d', '--bundle', this.#bundle, ...words, ID];
    await execute('bash', ['-c', script, 'bash', log, ...runc], { timeoutMs: 60_000 });
  }

  async #runc(...words: string[]): Promise<void> {
    await execute('runc', ['--root', this.#root, ...words], { timeoutMs: 60_000 });
  }
}
