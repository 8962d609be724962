import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { BlobSource } from '../../../lib/image';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry';
import { fileLayer, makeImage, sha256, type TestImage } from '../../support/images';
import { tarArchive } from '../../support/tar';
import { temporaryFolder } from '../../support/temporary';
import { MemorySource } from './memory-source';
import { type OpenStore, openStore } from './open-store';

const image = makeImage({
  layers: [fileLayer({ base: 'b' }), fileLayer({ big: randomBytes(1_500_000) }), fileLayer({ top: 't' })],
});
const middle = image.manifest.layers[1]!;

/** Nothing of the failed layer or those above is left, under whatever name. */
function assertNothingOf(store: OpenStore): void {
  const base = image.config.rootfs.diff_ids[0]!.slice(7);
  const allowed = new Set(['.trash', base, `${base}.json`]);
  assert.deepEqual(
    store.names('layers').filter((name) => !allowed.has(name)),
    [],
  );
  assert.deepEqual(store.images.images(), []);
}

describe('a source that sends wrong bytes', () => {
  const folder = temporaryFolder();
  let registry: FaultyRegistry;
  let store: OpenStore;
  let number = 0;

  beforeEach(async () => {
    registry = await startFaultyRegistry();
    registry.add(image, 'app', '1');
    number += 1;
    store = await openStore(folder.join(`data${number}`));
  });
  afterEach(async () => {
    await store.close();
    await registry.stop();
  });

  const match = { kind: 'blob', digest: middle.digest } as const;
  const always = { times: Number.POSITIVE_INFINITY };

  for (const at of [0, 5, 100, 700_000, middle.size - 1]) {
    it(`is refused when byte ${at} of a blob is wrong, with got and want`, async () => {
      registry.fault({ match, action: { type: 'corrupt', at }, ...always });
      await assert.rejects(store.images.pull(`${registry.host}/app:1`), (error: Error & { code: string }) => {
        assert.equal(error.code, 'ERR_IMAGE_DIGEST_MISMATCH');
        assert.match(error.message, new RegExp(`got sha256:[0-9a-f]{64}, want ${middle.digest}`));
        return true;
      });
      assertNothingOf(store);
      // Wrong bytes are not the start of a later pull.
      assert.ok(!store.names('blobs').includes(`${middle.digest.slice(7)}.partial`));
      registry.clearFaults();
      await store.images.pull(`${registry.host}/app:1`);
    });
  }

  it('is asked for the rest when its answer is too short, and refused when nothing comes', async () => {
    registry.fault({ match, action: { type: 'short', bytes: 500_000 } });
    await store.images.pull(`${registry.host}/app:1`);
    await store.images.prune({ keep: [] });
    registry.fault({ match, action: { type: 'short', bytes: 0 }, ...always });
    await assert.rejects(store.images.pull(`${registry.host}/app:1`), { code: 'ERR_IMAGE_DOWNLOAD_FAILED' });
    assertNothingOf(store);
  });

  it('is refused when a blob never ends', async () => {
    registry.fault({ match, action: { type: 'endless' }, ...always });
    await assert.rejects(store.images.pull(`${registry.host}/app:1`), { code: 'ERR_IMAGE_BLOB_TOO_LONG' });
    assertNothingOf(store);
  });
});

describe('a pull that cannot end well', () => {
  const folder = temporaryFolder();

  it('refuses a layer that is not the one of the configuration', async () => {
    const lying = makeImage({ layers: image.layerTars });
    lying.config.rootfs.diff_ids[1] = sha256(Buffer.from('another layer'));
    const store = await openStore(folder.join('diff'), { images: { 'library/a': new MemorySource(lying) } });
    await assert.rejects(store.images.pull('a'), {
      code: 'ERR_IMAGE_DIGEST_MISMATCH',
      message: new RegExp(`got ${image.config.rootfs.diff_ids[1]}, want ${lying.config.rootfs.diff_ids[1]}`),
    });
    assertNothingOf(store);
    await store.close();
  });

  it('refuses blobs that are longer or shorter than described, whoever sends them', async () => {
    for (const change of [-1, 1]) {
      const source = new MemorySource(image);
      const blob = image.blobs.get(middle.digest)!;
      const other = change < 0 ? blob.subarray(0, -1) : Buffer.concat([blob, Buffer.alloc(1)]);
      source.blobs.set(middle.digest, other);
      const store = await openStore(folder.join(`size${change}`), { images: { 'library/a': source } });
      await assert.rejects(store.images.pull('a'), { code: 'ERR_IMAGE_SIZE_MISMATCH' });
      assertNothingOf(store);
      assert.equal(source.closed, 1);
      await store.close();
    }
  });

  it('says that a blob is missing', async () => {
    const source = new MemorySource(image);
    source.blobs.delete(middle.digest);
    const store = await openStore(folder.join('missing'), { images: { 'library/a': source } });
    await assert.rejects(store.images.pull('a'), { code: 'ERR_IMAGE_BLOB_MISSING' });
    await store.close();
  });

  it('passes the errors of the unpacking stage on', async () => {
    const broken = makeImage({
      layers: [tarArchive([{ name: 'x', content: 'y', size: 4096 }]).subarray(0, 1024)],
    });
    const escaping = makeImage({ layers: [fileLayer({ '../out': 'x' })] });
    const store = await openStore(folder.join('broken'), {
      images: { 'library/broken': new MemorySource(broken), 'library/escaping': new MemorySource(escaping) },
    });
    await assert.rejects(store.images.pull('broken'), { code: 'ERR_LAYER_CORRUPT' });
    await assert.rejects(store.images.pull('escaping'), { code: 'ERR_LAYER_BREAKOUT' });
    assert.deepEqual(store.names('layers'), ['.trash']);
    await store.close();
  });

  /** A tmpfs of so many megabytes, for `use`; what it throws must not be hidden by a busy mount. */
  async function onSmallDisk(
    name: string,
    megabytes: number,
    big: TestImage,
    use: (store: OpenStore, mounted: string) => Promise<void>,
  ): Promise<void> {
    const mounted = folder.join(name);
    mkdirSync(mounted);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'garua-test', mounted]);
    let store: OpenStore | undefined;
    try {
      store = await openStore(join(mounted, 'data'), { images: { 'library/a': new MemorySource(big) } });
      await use(store, mounted);
    } finally {
      await store?.close();
      execFileSync('umount', [mounted]);
    }
  }

  it('says that the disk is full, gives the room back, and works once there is more', async () => {
    const big = makeImage({
      compression: 'none',
      layers: [fileLayer({ a: 'x' }), fileLayer({ big: Buffer.alloc(6_000_000, 'x') })],
    });
    await onSmallDisk('small-disk', 3, big, async (store, mounted) => {
      await assert.rejects(store.images.pull('a'), { code: 'ERR_DISK_FULL' });
      assert.deepEqual(store.images.images(), []);
      await store.images.prune({ keep: [] });
      assert.deepEqual(store.names('layers'), ['.trash']);
      assert.deepEqual(store.names('blobs'), []);
      execFileSync('mount', ['-o', 'remount,size=20m', mounted]);
      await store.images.pull('a');
    });
  });

  it('prunes a disk on which not even the index has room left', async () => {
    const small = makeImage({ layers: [fileLayer({ big: randomBytes(500_000) })] });
    await onSmallDisk('filled-disk', 3, small, async (store, mounted) => {
      await store.images.pull('a');
      fill(join(mounted, 'ballast'));
      const { images, layers } = await store.images.prune({ keep: [] });
      assert.deepEqual([images.length, layers.length], [1, 1]);
      assert.deepEqual(store.images.images(), []);
      assert.deepEqual(store.names('layers'), ['.trash']);
    });
  });

  it('does without keeping the blob where the layer needs all the room', async () => {
    const big = makeImage({ layers: [fileLayer({ big: randomBytes(3_500_000) })] });
    await onSmallDisk('tight-disk', 5, big, async (store) => {
      await store.images.pull('a');
    });
  });
});

/** Writes a file until its disk has not a byte left. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(file);
  }
}

describe('sources in front of the image’s own', () => {
  const folder = temporaryFolder();

  function sources() {
    const own = new MemorySource(image, 'registry');
    const nas = new MemorySource(image, 'nas');
    return { own, nas };
  }

  it('are asked first, and the result says who delivered', async () => {
    const { own, nas } = sources();
    nas.blobs.delete(image.manifest.layers[2]!.digest);
    const store = await openStore(folder.join('first'), { sources: [nas], images: { 'library/a': own } });
    const result = await store.images.pull('a');
    assert.deepEqual(
      result.layers.map(({ source }) => source),
      ['nas', 'nas', 'registry'],
    );
    await store.close();
  });

  it('do no harm when they fail', async () => {
    const { own } = sources();
    const failing: BlobSource = {
      origin: 'nas',
      openBlob: async () => {
        throw new Error('stale file handle');
      },
    };
    const store = await openStore(folder.join('failing'), {
      sources: [failing],
      images: { 'library/a': own },
    });
    const result = await store.images.pull('a');
    assert.equal(result.layers[0]!.source, 'registry');
    await store.close();
  });

  it('do no harm when their bytes are wrong', async () => {
    const { own, nas } = sources();
    const wrong = Buffer.from(image.blobs.get(middle.digest)!);
    wrong[1_000_000]! ^= 1;
    nas.blobs.set(middle.digest, wrong);
    const store = await openStore(folder.join('wrong'), { sources: [nas], images: { 'library/a': own } });
    const result = await store.images.pull('a');
    assert.deepEqual(
      result.layers.map(({ source }) => source),
      ['nas', 'registry', 'nas'],
    );
    assert.equal(result.layers[1]!.bytes, 2 * middle.size);
    await store.close();
  });

  it('are offered each verified blob, and may fail', async () => {
    const { own } = sources();
    const kept: string[] = [];
    const sink = {
      keep: async ({ digest }: { digest: string }, file: string) => {
        assert.equal(sha256(readFileSync(file)), digest);
        kept.push(digest);
        throw new Error('the NAS is full');
      },
    };
    const store = await openStore(folder.join('sink'), { sink, images: { 'library/a': own } });
    await store.images.pull('a');
    assert.deepEqual(kept.sort(), image.manifest.layers.map(({ digest }) => digest).sort());
    await store.close();
  });
});
