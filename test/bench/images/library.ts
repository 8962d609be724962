import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import type { Registry } from '../harness/registry';
import { type BenchImage, Layout } from './layout';
import { type ImageName, RECIPES, type RecipeContext } from './recipes';

/** The images of the benchmark: made once, kept in the cache folder, and pushed to the registry on demand. */
export class ImageLibrary {
  readonly #layout: Layout;

  constructor(
    private readonly cache: string,
    private readonly registry: Registry,
    private readonly say: (line: string) => void,
  ) {
    this.#layout = new Layout(join(cache, 'images'));
  }

  reference(name: ImageName): string {
    return `${this.registry.address}/bench/${name}:1`;
  }

  /** The image, made and pushed when it was not there. */
  async ensure(name: ImageName): Promise<BenchImage> {
    let image = this.#layout.find(name);
    if (!image) {
      this.say(`making the image ${name} (once; kept in ${this.cache})`);
      const context: RecipeContext = { layout: this.#layout, rootfs: () => this.#rootfs() };
      image = this.#layout.add(name, await RECIPES[name](context));
    }
    await this.registry.shape({ title: 'unshaped' });
    await execute(
      'skopeo',
      [
        ...['copy', '--insecure-policy', '--quiet', '--dest-tls-verify=false'],
        `oci:${this.#layout.path}:${name}`,
        `docker://${this.reference(name)}`,
      ],
      { timeoutMs: 600_000 },
    );
    return image;
  }

  /** URLs of the manifest and of all blobs: the bytes that every puller must fetch. */
  urls(image: BenchImage): string[] {
    const repository = `http://${this.registry.address}/v2/bench/${image.name}`;
    const blobs = [image.config, ...image.layers.map(({ digest }) => digest)];
    return [`${repository}/manifests/${image.digest}`, ...blobs.map((blob) => `${repository}/blobs/${blob}`)];
  }

  /** A minimal Debian, as in the base images that people use. */
  async #rootfs(): Promise<string> {
    const prepared = process.env.GARUA_BENCH_ROOTFS;
    if (prepared) return prepared;
    const rootfs = join(this.cache, 'rootfs');
    if (existsSync(rootfs)) return rootfs;
    this.say('debootstrap of a minimal Debian 12 (once, about a minute)');
    const temporary = `${rootfs}-${process.pid}`;
    mkdirSync(temporary, { recursive: true });
    await execute('debootstrap', ['--variant=minbase', 'bookworm', temporary], { timeoutMs: 900_000 });
    await execute('find', [join(temporary, 'var/cache/apt/archives'), '-name', '*.deb', '-delete']);
    renameSync(temporary, rootfs);
    return rootfs;
  }
}
