import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileLayer, makeImage } from '../../support/images';
import { temporaryFolder } from '../../support/temporary';
import { MemorySource } from '../pull/memory-source';
import { type OpenStore, openStore } from '../pull/open-store';

const base = fileLayer({ base: 'b'.repeat(10_000) });
const one = makeImage({ layers: [base, fileLayer({ one: '1' })] });
const two = makeImage({ layers: [base, fileLayer({ two: '2' })] });

const folder = { path: '' };
let number = 0;

function sources() {
  return { 'library/one': new MemorySource(one), 'library/two': new MemorySource(two) };
}

/** A fresh data directory with both images. */
async function filled(): Promise<OpenStore> {
  number += 1;
  const store = await openStore(join(folder.path, `data${number}`), { images: sources() });
  await store.images.pull('one');
  await store.images.pull('two');
  return store;
}

async function reopen(store: OpenStore, change: (path: string) => void | Promise<void>): Promise<OpenStore> {
  const { path } = store.directory;
  await store.close();
  await change(path);
  return openStore(path, { images: sources() });
}

describe('ImageStore', () => {
  const temporary = temporaryFolder();
  before(() => {
    folder.path = temporary.path;
  });

  it('lists images and finds them by reference, digest and prefix', async () => {
    const store = await filled();
    assert.deepEqual(
      store.images.images().map(({ ref, digest }) => [ref, digest]),
      [
        ['docker.io/library/one:latest', one.digest],
        ['docker.io/library/two:latest', two.digest],
      ],
    );
    for (const name of ['one', 'docker.io/library/one:latest', one.digest, one.digest.slice(7, 20)]) {
      const image = store.images.get(name);
      assert.equal(image.ref, 'docker.io/library/one:latest', name);
      assert.deepEqual(image.config, one.config);
      assert.equal(image.size, one.layerTars[0]!.length + one.layerTars[1]!.length);
    }
    for (const name of ['three', 'one:2', `sha256:${'0'.repeat(64)}`]) {
      assert.throws(() => store.images.get(name), { code: 'ERR_IMAGE_NOT_FOUND' }, name);
    }
    await store.close();
  });

  it('does not guess which of two images a prefix means', async () => {
    const twins = ['a', 'b'].map((last) => ({ ...one, digest: `sha256:${'1'.repeat(63)}${last}` }));
    const other = await openStore(join(folder.path, 'twins'), {
      images: { 'library/a': new MemorySource(twins[0]!), 'library/b': new MemorySource(twins[1]!) },
    });
    await other.images.pull('a');
    await other.images.pull('b');
    assert.throws(() => other.images.get('11111111'), { code: 'ERR_IMAGE_AMBIGUOUS' });
    await other.close();
  });

  it('says which layer has nothing to mount', async () => {
    const store = await filled();
    assert.throws(() => store.images.mounts([`sha256:${'0'.repeat(64)}`]), { code: 'ERR_IMAGE_NOT_FOUND' });
    await store.close();
  });

  it('removes an image, and with prune the layers that no other image has', async () => {
    const store = await filled();
    const { chainIds } = store.images.get('one');
    await store.images.remove('one');
    assert.throws(() => store.images.get('one'), { code: 'ERR_IMAGE_NOT_FOUND' });
    await assert.rejects(store.images.remove('one'), { code: 'ERR_IMAGE_NOT_FOUND' });
    const result = await store.images.prune({ keep: ['docker.io/library/two:latest'] });
    assert.deepEqual(result, { images: [], layers: [chainIds[1]], bytesFreed: one.layerTars[1]!.length });
    assert.equal(store.images.mounts(store.images.get('two').chainIds).length, 2);
    assert.equal(store.names('layers').length, 1 + 2 * 2);
    assert.deepEqual(store.names('layers/.trash'), []);
    await store.close();
  });

  it('prunes what is not kept by reference, digest or layer, and forgotten downloads', async () => {
    const store = await filled();
    const { chainIds } = store.images.get('one');
    writeFileSync(store.directory.join('blobs', `${'0'.repeat(64)}.partial`), 'x'.repeat(100));
    const nothing = await store.images.prune({ keep: [one.digest, two.digest] });
    assert.deepEqual(nothing, { images: [], layers: [], bytesFreed: 100 });
    const result = await store.images.prune({ keep: chainIds });
    assert.deepEqual(result.images, ['docker.io/library/one:latest', 'docker.io/library/two:latest']);
    assert.equal(result.layers.length, 1);
    assert.equal(store.images.mounts(chainIds).length, 2);
    await store.images.prune({ keep: [] });
    assert.deepEqual(store.names('layers'), ['.trash']);
    assert.deepEqual(store.names('images'), []);
    await store.close();
  });
});

describe('ImageStore after a crash', () => {
  it('throws away what was being unpacked, and what nobody knows', async () => {
    const before = await filled();
    const names = before.names('layers');
    const store = await reopen(before, (path) => {
      const layers = join(path, 'layers');
      mkdirSync(join(layers, `${'a'.repeat(64)}.partial`, 'deep/er'), { recursive: true });
      mkdirSync(join(layers, 'b'.repeat(64)));
      mkdirSync(join(layers, '.trash', 'old'));
      writeFileSync(join(layers, `${'c'.repeat(64)}.json`), '{}');
      writeFileSync(join(layers, 'note.txt'), 'x');
      writeFileSync(join(path, 'blobs', 'odd'), 'x');
      writeFileSync(join(path, 'images', 'odd.json'), 'not JSON');
    });
    assert.equal(store.images.images().length, 2);
    await store.close();
    assert.deepEqual(store.names('layers'), names);
    assert.deepEqual(store.names('layers/.trash'), []);
    assert.deepEqual(store.names('blobs'), []);
    assert.equal(store.names('images').length, 2);
  });

  it('builds the index again when the database is lost', async () => {
    const before = await filled();
    const images = before.images.images();
    const store = await reopen(before, (path) => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(path, `garua.db${suffix}`), { force: true });
    });
    assert.deepEqual(store.images.images(), images);
    assert.equal((await store.images.pull('one')).bytesDownloaded, 0);
    await store.close();
  });

  it('drops images that lost a layer, so that the next pull brings it back', async () => {
    const before = await filled();
    const [lower, upper] = before.images.mounts(before.images.get('one').chainIds);
    const store = await reopen(before, () => rmSync(upper!.path, { recursive: true }));
    assert.throws(() => store.images.get('one'), { code: 'ERR_IMAGE_NOT_FOUND' });
    assert.equal(store.images.get('two').digest, two.digest);
    const result = await store.images.pull('one', { policy: 'missing' });
    assert.deepEqual(
      result.layers.map(({ source }) => source),
      ['store', 'archive'],
    );
    assert.ok(existsSync(join(lower!.path, 'base')));
    await store.close();
  });

  /** Takes a finished layer back to the moment before it got its name. */
  async function interruptCommit(boot: string): Promise<OpenStore> {
    const before = await filled();
    const [, chainId] = before.images.get('one').chainIds;
    const layer = before.directory.join('layers', chainId!.slice(7));
    const record = JSON.parse(await readFile(`${layer}.json`, 'utf8'));
    before.journal.begin('image.layer', chainId!, 'verified', { record, boot });
    return reopen(before, () => {
      renameSync(layer, `${layer}.partial`);
    });
  }

  it('finishes the commit of a verified layer when only the process ended', async () => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const store = await interruptCommit(boot);
    assert.equal((await store.images.pull('one')).bytesDownloaded, 0);
    assert.deepEqual(store.journal.unfinished('image.layer'), []);
    await store.close();
  });

  it('does not trust it after the machine went down', async () => {
    const store = await interruptCommit('another boot');
    const result = await store.images.pull('one');
    assert.deepEqual(
      result.layers.map(({ source }) => source),
      ['store', 'archive'],
    );
    assert.deepEqual(store.journal.unfinished('image.layer'), []);
    await store.close();
  });
});
