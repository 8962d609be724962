import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Progress } from '../../../lib/base';
import { fileLayer, makeImage, type TestCompression } from '../../support/images';
import { startRegistry, type TestRegistry } from '../../support/registry';
import { temporaryFolder } from '../../support/temporary';
import { MemorySource } from './memory-source';
import { type OpenStore, openStore } from './open-store';

const big = randomBytes(3_000_000);

describe('pulling from a real registry', () => {
  const folder = temporaryFolder();
  let registry: TestRegistry;
  let store: OpenStore;

  before(async () => {
    registry = await startRegistry();
    store = await openStore(folder.join('data'));
  });
  after(async () => {
    await store.close();
    await registry.stop();
  });

  for (const compression of ['gzip', 'gzip-multi', 'zstd', 'none'] as TestCompression[]) {
    it(`unpacks ${compression} layers and verifies them`, async () => {
      const image = makeImage({
        compression,
        layers: [
          fileLayer({ [`etc/${compression}`]: 'lower', 'bin/big': big }),
          fileLayer({ [`etc/${compression}`]: 'upper', [compression]: '' }),
        ],
      });
      const digest = await registry.push(image, `kind/${compression}`, '1');
      const ref = `${registry.host}/kind/${compression}:1`;
      const result = await store.images.pull(ref);
      assert.equal(result.ref, ref);
      assert.equal(result.digest, digest);
      assert.deepEqual(
        result.layers.map(({ digest, diffId, source, resumed }) => ({ digest, diffId, source, resumed })),
        image.manifest.layers.map((layer, index) => ({
          digest: layer.digest,
          diffId: image.config.rootfs.diff_ids[index],
          source: 'registry',
          resumed: 0,
        })),
      );
      const compressed = image.manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
      assert.equal(result.bytesDownloaded, compressed);
      assert.equal(result.bytesUnpacked, image.layerTars[0]!.length + image.layerTars[1]!.length);
      const [lower, upper] = store.images.mounts(result.chainIds);
      assert.ok(readFileSync(join(lower!.path, 'bin/big')).equals(big));
      assert.equal(readFileSync(join(lower!.path, 'etc', compression), 'utf8'), 'lower');
      assert.equal(readFileSync(join(upper!.path, 'etc', compression), 'utf8'), 'upper');
      assert.equal(statSync(join(upper!.path, compression)).size, 0);
      assert.deepEqual(store.names('blobs'), []);
    });
  }

  it('fetches nothing again that is here, and says so', async () => {
    const ref = `${registry.host}/kind/gzip:1`;
    const again = await store.images.pull(ref);
    assert.equal(again.bytesDownloaded, 0);
    assert.deepEqual(
      again.layers.map(({ source, bytes }) => [source, bytes]),
      [
        ['store', 0],
        ['store', 0],
      ],
    );
    assert.ok(again.bytesUnpacked > big.length);
  });

  it('does not ask the registry at all with the policies missing and never', async () => {
    const ref = `${registry.host}/kind/gzip:1`;
    const digest = store.images.get(ref).digest;
    // A new image under the same tag.
    await registry.push(makeImage(), 'kind/gzip', '1');
    for (const policy of ['missing', 'never'] as const) {
      assert.equal((await store.images.pull(ref, { policy })).digest, digest, policy);
    }
    await assert.rejects(store.images.pull(`${registry.host}/not/here`, { policy: 'never' }), {
      code: 'ERR_IMAGE_NOT_FOUND',
    });
    const fresh = await store.images.pull(ref);
    assert.notEqual(fresh.digest, digest);
    assert.equal(store.images.get(ref).digest, fresh.digest);
  });

  it('says that an unknown image is unknown', async () => {
    await assert.rejects(store.images.pull(`${registry.host}/not/here:1`), { code: 'ERR_IMAGE_NOT_FOUND' });
  });
});

describe('pulling', () => {
  const folder = temporaryFolder();

  it('reports its progress in compressed bytes of the whole image', async () => {
    const image = makeImage({ layers: [fileLayer({ big }), fileLayer({ a: '1' })] });
    const store = await openStore(folder.join('progress'), {
      images: { 'library/a': new MemorySource(image) },
    });
    const seen: Progress[] = [];
    await store.images.pull('a', { onProgress: (progress) => seen.push(progress) });
    await store.close();
    const total = image.manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
    assert.deepEqual(seen[0], { phase: 'resolving', done: 0, total: 0, unit: 'bytes' });
    assert.deepEqual(seen[1], { phase: 'pulling', done: 0, total, unit: 'bytes' });
    assert.deepEqual(seen.at(-1), { phase: 'committing', done: total, total, unit: 'bytes' });
    for (const [index, { done }] of seen.entries()) assert.ok(done >= (seen[index - 1]?.done ?? 0));
  });

  it('handles the same layer twice in one image, empty layers, and an image without layers', async () => {
    const twice = fileLayer({ twice: 'x' });
    const image = makeImage({ layers: [twice, fileLayer({}), twice, twice, fileLayer({ top: 'y' })] });
    const store = await openStore(folder.join('twice'), {
      images: {
        'library/a': new MemorySource(image),
        'library/none': new MemorySource(makeImage({ layers: [] })),
      },
    });
    const result = await store.images.pull('a');
    const mounts = store.images.mounts(result.chainIds);
    assert.equal(new Set(mounts.map(({ path }) => path)).size, 5);
    for (const index of [0, 2, 3]) {
      assert.equal(readFileSync(join(mounts[index]!.path, 'twice'), 'utf8'), 'x');
    }
    assert.deepEqual(store.names('blobs'), []);
    const none = await store.images.pull('none');
    assert.deepEqual(none.layers, []);
    assert.deepEqual(store.images.get('none').chainIds, []);
    await store.close();
  });

  it('takes images with more layers than one thread may unpack', async () => {
    const layers = Array.from({ length: 40 }, (_, layer) => fileLayer({ [`layer${layer}`]: `${layer}` }));
    const store = await openStore(folder.join('many'), {
      images: { 'library/a': new MemorySource(makeImage({ layers })) },
    });
    const result = await store.images.pull('a');
    for (const [layer, mount] of store.images.mounts(result.chainIds).entries()) {
      assert.equal(readFileSync(join(mount.path, `layer${layer}`), 'utf8'), `${layer}`);
    }
    await store.close();
  });

  it('stores a base that two images share once, and does not fetch it again', async () => {
    const base = fileLayer({ base: big });
    const [one, two] = ['one', 'two'].map((name) =>
      makeImage({ layers: [base, fileLayer({ [name]: name })] }),
    );
    const sources = { 'library/one': new MemorySource(one!), 'library/two': new MemorySource(two!) };
    const store = await openStore(folder.join('shared'), { images: sources });
    const first = await store.images.pull('one');
    const second = await store.images.pull('two');
    assert.equal(second.chainIds[0], first.chainIds[0]);
    assert.equal(second.layers[0]!.source, 'store');
    assert.deepEqual(
      sources['library/two'].opened.map(({ digest }) => digest),
      [two!.manifest.layers[1]!.digest],
    );
    await store.close();
  });

  for (const strategy of [
    { layers: 'parallel' },
    { pipelined: false },
    { threads: 'one' },
    { layers: 'parallel', pipelined: false, threads: 'one' },
  ] as const) {
    it(`gives the same result with ${JSON.stringify(strategy)}`, async () => {
      const image = makeImage({
        compression: ['gzip', 'gzip-multi', 'zstd', 'none'],
        layers: [0, 1, 2, 3].map((layer) => fileLayer({ [`big${layer}`]: big })),
      });
      const store = await openStore(folder.join(JSON.stringify(strategy)), {
        strategy,
        images: { 'library/a': new MemorySource(image) },
      });
      const result = await store.images.pull('a');
      for (const [layer, mount] of store.images.mounts(result.chainIds).entries()) {
        assert.ok(readFileSync(join(mount.path, `big${layer}`)).equals(big));
      }
      assert.deepEqual(store.names('blobs'), []);
      assert.equal(store.names('layers').length, 1 + 2 * 4);
      await store.close();
    });
  }
});
