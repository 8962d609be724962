import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Database, DataDirectory, Journal, openDatabase, unmountDetached } from '../../lib/base';
import { ContainerEngine, type ContainerSpec, type ContainerStatus } from '../../lib/container';
import type { ImageConfig, LayerMount, StoredImage } from '../../lib/image/image';

const APPLETS =
  'sh ls cat echo sleep id env pwd hostname grep mount kill stat touch head tail seq yes test wc dd true'.split(
    ' ',
  );
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

/** Fields that differ from the fixture's usual spec; undefined is the engine's own default. */
type Changed = { [Field in keyof ContainerSpec]?: ContainerSpec[Field] | undefined };

export interface TestImage {
  image: StoredImage;
  layers: LayerMount[];
}

/** A data directory with an engine, and images made of this machine's busybox. */
export class ContainerFixture {
  readonly directory: DataDirectory;
  engine!: ContainerEngine;
  /** Whether engines opened from now on let restart policies and probes act. */
  supervise = false;
  #database: Database | undefined;
  #busybox: Promise<LayerMount> | undefined;

  private constructor(
    readonly path: string,
    folder: string,
  ) {
    this.directory = new DataDirectory(join(path, folder));
  }

  /** `parent`: where its folder goes, such as a small disk. */
  static async create(folder = 'data', parent = tmpdir()): Promise<ContainerFixture> {
    const fixture = new ContainerFixture(await mkdtemp(join(parent, 'garua-container-')), folder);
    await mkdir(fixture.directory.path);
    await fixture.open();
    return fixture;
  }

  /** Opens the engine, as a new process would. */
  async open(): Promise<ContainerEngine> {
    this.#database = openDatabase(this.directory.join('garua.db'));
    this.engine = await ContainerEngine.open({
      dataDirectory: this.directory,
      database: this.#database,
      journal: new Journal(this.#database),
      hostName: 'test-host',
      supervise: this.supervise,
    });
    return this.engine;
  }

  /** As a supervising engine of a new process. */
  async reopen(): Promise<ContainerEngine> {
    if (this.#database?.open) await this.close();
    this.supervise = true;
    return this.open();
  }

  /** The container once its status is as wanted. */
  async until(wanted: (status: ContainerStatus) => boolean, name = 'box'): Promise<ContainerStatus> {
    for (;;) {
      const status = await this.engine.get(name);
      if (wanted(status)) return status;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async close(): Promise<void> {
    await this.engine.close();
    this.#database?.close();
  }

  /** Direct access to the index, to make the states a crash would leave. */
  get database(): Database {
    return this.#database!;
  }

  /** Takes everything away, whatever state the test left it in. */
  async destroy(): Promise<void> {
    if (!this.#database?.open) await this.open();
    for (const { name } of await this.engine.list()) {
      await this.engine.remove(name, { force: true, graceMs: 0 }).catch(() => {});
    }
    await this.close();
    const folders = await readdir(this.directory.join('containers'));
    for (const id of folders) {
      try {
        unmountDetached(this.directory.join('containers', id, 'root'));
      } catch {
        // Not mounted.
      }
    }
    await rm(this.path, { recursive: true, force: true });
  }

  /** A layer folder with these files; content undefined makes a folder. */
  async layer(name: string, files: Record<string, string | undefined> = {}): Promise<LayerMount> {
    const path = join(this.path, 'layers', name);
    await mkdir(path, { recursive: true });
    for (const [file, content] of Object.entries(files)) {
      await mkdir(content === undefined ? join(path, file) : dirname(join(path, file)), { recursive: true });
      if (content !== undefined) await writeFile(join(path, file), content, { mode: 0o755 });
    }
    return { type: 'overlay-lower', path };
  }

  /** The same for all containers, also for those that are deployed at once. */
  busyboxLayer(): Promise<LayerMount> {
    this.#busybox ??= this.#makeBusyboxLayer();
    return this.#busybox;
  }

  async #makeBusyboxLayer(): Promise<LayerMount> {
    const layer = await this.layer('busybox', {
      tmp: undefined,
      'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001::/srv:/bin/sh\n',
      'etc/group': 'root:x:0:\nweb:x:1001:\ngpio:x:997:web,other\n',
      'etc/secret': 'from the base layer\n',
    });
    const bin = join(layer.path, 'bin');
    await mkdir(bin);
    await cp('/bin/busybox', join(bin, 'busybox'));
    for (const applet of APPLETS) await symlink('busybox', join(bin, applet));
    return layer;
  }

  async image(config: ImageConfig['config'] = {}, more: LayerMount[] = []): Promise<TestImage> {
    const layers = [await this.busyboxLayer(), ...more];
    const image: StoredImage = {
      ref: 'registry.test/team/busy:1',
      digest: `sha256:${'0'.repeat(63)}${layers.length % 10}`,
      platform: { os: 'linux', architecture: ARCHITECTURE },
      config: { os: 'linux', architecture: ARCHITECTURE, config, rootfs: { type: 'layers', diff_ids: [] } },
      chainIds: [],
      size: 0,
      pulledAt: 0,
    };
    return { image, layers };
  }

  /** Deploys a busybox container. */
  async deploy(spec: Changed, test?: TestImage) {
    const { image, layers } = test ?? (await this.image());
    const full = { image: image.ref, name: 'box', network: 'none', ...spec } as ContainerSpec;
    return this.engine.deploy(full, image, layers, {});
  }

  /** Runs a shell script in a container to its end. */
  async run(script: string, spec: Changed = {}, test?: TestImage): Promise<RunResult> {
    const { container } = await this.deploy({ command: ['sh', '-c', script], ...spec }, test);
    const status = await this.engine.wait(container.name);
    const lines: Record<'stdout' | 'stderr', string[]> = { stdout: [], stderr: [] };
    for await (const { stream, text } of this.engine.logs(container.name)) lines[stream].push(text);
    return { status, ...lines };
  }
}

export interface RunResult {
  status: ContainerStatus;
  stdout: string[];
  stderr: string[];
}

/** Mount points of this machine below a folder. */
export async function mountsBelow(folder: string): Promise<string[]> {
  const points = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point.startsWith(`${folder}/`));
}

/** Addresses of the bridge that a container holds. */
export async function leasesOf(id: string): Promise<string[]> {
  const folder = '/run/garua/leases/garua';
  const files = (await readdir(folder)).filter((file) => /^[\d.]+$/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8').catch(() => '')));
  return files.filter((_, index) => texts[index]!.includes(id));
}

/** Looks again until the condition holds. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
