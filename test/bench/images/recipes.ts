import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../../lib/base';
import { cut, listShuffled, listSorted } from './files';
import { type Layer, type LayerRecipe, writeLayer } from './layer';
import type { Layout } from './layout';

export interface RecipeContext {
  layout: Layout;
  /** Folder of a minimal Debian. */
  rootfs(): Promise<string>;
}

const MB = 1e6;
/** Uncompressed bytes of the layer on top of the base: about 50 MB as gzip, as in the paper. */
const TOP = 135 * MB;

/** Real files of this machine; larger ones would be a layer's whole content. */
async function sampleOfUsr(...bytes: number[]): Promise<LayerRecipe[]> {
  const parts = cut(await listShuffled('/', 'usr', '4096k'), ...bytes);
  return parts.map((names) => ({ root: '/', names, transform: 's,^,opt/,' }));
}

async function writeAll(context: RecipeContext, recipes: LayerRecipe[]): Promise<Layer[]> {
  const layers: Layer[] = [];
  for (const recipe of recipes) layers.push(await writeLayer(context.layout.path, recipe));
  return layers;
}

/** Another image of the cache has the base already, made from the same files. */
async function base(context: RecipeContext): Promise<Layer> {
  const made = context.layout.find('two-layers') ?? context.layout.find('shared-base');
  return made?.layers[0] ?? writeLayer(context.layout.path, { root: await context.rootfs() });
}

/** How each image's layers come to be, bottom first. */
export const RECIPES = {
  /** The shape of the paper's image: a distribution, and one layer of an application on top. */
  async 'two-layers'(context: RecipeContext) {
    return [await base(context), ...(await writeAll(context, await sampleOfUsr(TOP)))];
  },

  /** The same files in four layers of about the same size. */
  async 'four-layers'(context: RecipeContext) {
    const root = await context.rootfs();
    const files = await listSorted(root);
    const half = files.reduce((sum, { size }) => sum + size, 0) / 2;
    const halves = cut(files, half, Number.POSITIVE_INFINITY).map((names) => ({ root, names }));
    return writeAll(context, [...halves, ...(await sampleOfUsr(TOP / 2, TOP / 2))]);
  },

  /** About 4 MB as gzip: what one sends over 256 kbit/s. */
  async small(context: RecipeContext) {
    const root = await context.rootfs();
    const [names] = cut(await listShuffled(root, 'usr', '1024k'), 8.7 * MB);
    return writeAll(context, [{ root, names: names! }]);
  },

  /** Another application on the base of `two-layers`. */
  async 'shared-base'(context: RecipeContext) {
    const [, other] = await sampleOfUsr(TOP, 20 * MB);
    return [await base(context), ...(await writeAll(context, [other!]))];
  },

  /** One layer of 2 GB: twelve copies of the base side by side, far apart for gzip. */
  async 'two-gigabytes'(context: RecipeContext) {
    const rootfs = await context.rootfs();
    const root = join(rootfs, '..', `copies-${process.pid}`);
    try {
      for (let copy = 0; copy < 12; copy += 1) {
        mkdirSync(root, { recursive: true });
        await execute('cp', ['-al', rootfs, join(root, `copy-${copy}`)], { timeoutMs: 120_000 });
      }
      return await writeAll(context, [{ root, level: 1, dereferenceHardLinks: true }]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },

  /** A shell and its tools in one static program. */
  async busybox(context: RecipeContext) {
    const root = join(context.layout.path, `busybox-${process.pid}`);
    try {
      mkdirSync(join(root, 'bin'), { recursive: true });
      mkdirSync(join(root, 'tmp'));
      await execute('cp', ['/bin/busybox', join(root, 'bin', 'busybox')]);
      for (const applet of ['sh', 'echo', 'sleep', 'seq', 'cat', 'true']) {
        symlinkSync('busybox', join(root, 'bin', applet));
      }
      return await writeAll(context, [{ root }]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },

  /** This Node.js and the libraries that it needs, on a shell. */
  async nodejs(context: RecipeContext) {
    const root = join(context.layout.path, `nodejs-${process.pid}`);
    try {
      for (const folder of ['bin', 'tmp']) mkdirSync(join(root, folder), { recursive: true });
      await execute('cp', ['/bin/busybox', join(root, 'bin', 'busybox')]);
      for (const applet of ['sh', 'sleep', 'cat']) symlinkSync('busybox', join(root, 'bin', applet));
      await execute('cp', [process.execPath, join(root, 'bin', 'node')]);
      const { stdout } = await execute('ldd', [process.execPath]);
      const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
      await execute('cp', ['--dereference', '--parents', ...libraries, root]);
      return await writeAll(context, [{ root }]);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
} satisfies Record<string, (context: RecipeContext) => Promise<Layer[]>>;

export type ImageName = keyof typeof RECIPES;
