import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { PullResult } from '../../../lib/image';
import { fileLayer, makeImage } from '../../support/images';
import { temporaryFolder } from '../../support/temporary';
import { MemorySource } from './memory-source';
import { type OpenStore, openStore } from './open-store';

const base = fileLayer({ base: randomBytes(2_000_000) });
const one = makeImage({ layers: [base, fileLayer({ one: '1' })] });
const two = makeImage({ layers: [base, fileLayer({ two: '2' })] });
const baseDigest = one.manifest.layers[0]!.digest;

describe('pulls at the same time', () => {
  const folder = temporaryFolder();
  let sources: Record<string, MemorySource>;
  let store: OpenStore;
  let number = 0;
  /** Called when the first piece of the base after 500,000 bytes is asked for; the rest waits for it. */
  let atHalf: () => Promise<void>;

  beforeEach(async () => {
    number += 1;
    sources = { 'library/one': new MemorySource(one), 'library/two': new MemorySource(two) };
    atHalf = async () => {};
    for (const source of Object.values(sources)) {
      source.beforePiece = async (piece, digest, offset) => {
        if (digest === baseDigest && offset === 500_000) await atHalf();
        return piece;
      };
    }
    store = await openStore(folder.join(`data${number}`), { images: sources });
  });
  afterEach(() => store.close());

  const timesFetched = (digest: string) =>
    Object.values(sources)
      .flatMap(({ opened }) => opened)
      .filter((request) => request.digest === digest).length;

  it('fetch a layer once, be they for one image or for several', async () => {
    const results = await Promise.all([
      store.images.pull('one'),
      store.images.pull('two'),
      store.images.pull('one'),
    ]);
    assert.equal(timesFetched(baseDigest), 1);
    assert.equal(timesFetched(one.manifest.layers[1]!.digest), 1);
    const total = results.reduce((sum, { bytesDownloaded }) => sum + bytesDownloaded, 0);
    assert.equal(
      total,
      one.manifest.layers[0]!.size + one.manifest.layers[1]!.size + two.manifest.layers[1]!.size,
    );
    assert.equal(store.images.images().length, 2);
  });

  it('go on when the one that began is cancelled', async () => {
    const controller = new AbortController();
    const first = store.images.pull('one', { signal: controller.signal });
    let second: Promise<unknown> | undefined;
    const joined = new Promise<void>((resolve) => {
      atHalf = async () => {
        second = store.images.pull('two');
        await new Promise((turn) => setImmediate(turn));
        await new Promise((turn) => setTimeout(turn, 20));
        controller.abort();
        resolve();
      };
    });
    await assert.rejects(first, { code: 'ERR_ABORTED' });
    await joined;
    await second;
    assert.equal(timesFetched(baseDigest), 1);
    assert.deepEqual(
      store.images.images().map(({ ref }) => ref),
      ['docker.io/library/two:latest'],
    );
  });

  it('use the layer that a cancelled pull still commits', async () => {
    for (let delay = 0; delay < 6; delay += 1) {
      const controller = new AbortController();
      const again = new Promise<PullResult>((resolve, reject) => {
        controller.signal.addEventListener('abort', () => store.images.pull('one').then(resolve, reject));
      });
      const first = store.images.pull('one', {
        signal: controller.signal,
        onProgress: ({ phase }) => {
          if (phase === 'committing') setTimeout(() => controller.abort(), delay);
        },
      });
      await first.catch(() => {});
      controller.abort();
      const { chainIds } = await again;
      for (const { path } of store.images.mounts(chainIds)) assert.ok(statSync(path).isDirectory());
      await store.images.remove('one');
      await store.images.prune({ keep: [] });
    }
  });

  it('stop when all are cancelled, keep the bytes, and leave nothing else', async () => {
    const controller = new AbortController();
    atHalf = async () => {
      // Let the worker write what it has.
      await new Promise((turn) => setTimeout(turn, 200));
      controller.abort(new Error('enough'));
    };
    const pulls = [
      store.images.pull('one', { signal: controller.signal }),
      store.images.pull('two', { signal: controller.signal }),
    ];
    for (const pull of pulls) await assert.rejects(pull, { code: 'ERR_ABORTED' });
    assert.deepEqual(store.names('layers'), ['.trash']);
    const [name] = store.names('blobs');
    const kept = statSync(store.directory.join('blobs', name!)).size;
    assert.equal(kept, 500_000);
    atHalf = async () => {};
    const again = await store.images.pull('one');
    assert.equal(again.layers[0]!.resumed, kept);
  });

  it('do not start when the signal has fired', async () => {
    await assert.rejects(store.images.pull('one', { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
    assert.deepEqual(sources['library/one']!.opened, []);
  });

  it('share a failure', async () => {
    for (const source of Object.values(sources)) {
      source.beforePiece = () => {
        throw new Error('the archive is gone');
      };
    }
    const pulls = [store.images.pull('one'), store.images.pull('two')];
    for (const pull of pulls) await assert.rejects(pull, /the archive is gone/);
    assert.equal(timesFetched(baseDigest), 1);
  });

  it('survive a prune meanwhile', async () => {
    await store.images.pull('one');
    await store.images.remove('one');
    const controller = { pruned: false };
    const source = sources['library/two']!;
    source.beforePiece = async (piece) => {
      if (!controller.pruned) {
        controller.pruned = true;
        await store.images.prune({ keep: [] });
      }
      return piece;
    };
    const result = await store.images.pull('two');
    assert.ok(controller.pruned);
    assert.equal(result.layers[0]!.source, 'store');
    assert.equal(store.images.mounts(result.chainIds).length, 2);
  });
});
