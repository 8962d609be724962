import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { patternBytes } from '../store/support/bytes';
import { openStore, readAll, TestSite } from '../store/support/stores';
import { temporaryFolder } from '../support/temporary';
import { leftoversIn, objectsIn, startWork } from './store-tools';

/** A minute of writers: what is torn shows itself rarely. */
const WRITING_SECONDS = 60;
const EVICTING_SECONDS = 10;

describe('a NAS that several processes use at once', () => {
  const folder = temporaryFolder();

  it('never shows a part of an object, with four writers and a reader', async function () {
    this.timeout((WRITING_SECONDS + 60) * 1000);
    const nas = folder.join('written');
    mkdirSync(nas);
    const reader = await openStore({ dataDirectory: folder.join('reader'), nas });
    await reader.put(Buffer.from('first'));
    const writers = [1, 2, 3, 4].map((seed) =>
      startWork(['write', folder.join(`w${seed}`), nas, 0, WRITING_SECONDS, seed]),
    );
    let ended = false;
    const statuses = Promise.all(writers.map(({ ended: end }) => end)).finally(() => {
      ended = true;
    });
    let reads = 0;
    while (!ended) {
      const names = objectsIn(nas);
      // The newest are read as well: those that are being put at this moment.
      for (const cid of [...names.slice(-20), ...names.slice(0, 5)]) {
        const object = await reader.get(cid);
        assert.equal((await readAll(object)).length, object.size);
        assert.equal(object.source, 'nas');
        reads += 1;
      }
      await delay(5);
    }
    assert.deepEqual(await statuses, [0, 0, 0, 0], JSON.stringify(writers.map(({ lines }) => lines.at(-1))));
    const put = new Set(
      writers.flatMap(({ lines }) => lines.filter(([word]) => word === 'put').map((line) => line[1]!)),
    );
    // However slow the machine is.
    assert.ok(put.size > 8, `only ${put.size} objects`);
    assert.ok(reads > 8, `only ${reads} reads`);
    for (const cid of put) assert.ok((await readAll(await reader.get(cid))).length > 0);
    assert.deepEqual((await reader.scrub({ bytesPerSecond: 1e9 })).damaged, []);
    assert.deepEqual(leftoversIn(nas), []);
    await reader.close();
  });

  it('loses nothing that is pinned or alone while others evict all that they may', async function () {
    this.timeout((EVICTING_SECONDS + 60) * 1000);
    const nas = folder.join('evicted');
    mkdirSync(nas);
    const server = await TestSite.open('server', { dataDirectory: folder.join('server') });
    const store = await openStore({
      dataDirectory: folder.join('user'),
      nas,
      providers: [server.provider()],
      limits: { evictionGraceMs: 400 },
    });
    const contents = new Map<string, Buffer>();
    for (let seed = 1; seed <= 12; seed += 1) {
      const bytes = patternBytes(100_000 * seed, seed);
      const { cid } = await store.put(bytes);
      contents.set(cid, bytes);
      // The last two are nowhere else.
      if (seed <= 10) await server.store.put(bytes);
    }
    const cids = [...contents.keys()];
    const collectors = [1, 2].map((number) =>
      startWork(['collect', folder.join(`c${number}`), nas, server.port, EVICTING_SECONDS]),
    );
    let over = false;
    const statuses = Promise.all(collectors.map(({ ended }) => ended)).finally(() => {
      over = true;
    });
    const pinned = new Set<string>();
    const sources = new Set<string>();
    for (let turn = 0; !over; turn += 1) {
      const cid = cids[turn % cids.length]!;
      const object = await store.get(cid);
      assert.deepEqual(await readAll(object), contents.get(cid));
      sources.add(object.source);
      const other = cids[(turn * 5) % 10]!;
      if (pinned.has(other)) {
        pinned.delete(other);
        await store.unpin(other);
      } else {
        await store.pin(other);
        pinned.add(other);
      }
      await delay(2);
    }
    assert.deepEqual(await statuses, [0, 0], JSON.stringify(collectors.map(({ lines }) => lines.at(-1))));
    const evicted = collectors.flatMap(({ lines }) => lines.filter(([word]) => word === 'evicted'));
    assert.ok(evicted.length > 10, `only ${evicted.length} evictions`);
    await delay(500);
    await store.gc();
    await server.close();
    for (const cid of [...pinned, ...cids.slice(10)]) {
      const object = await store.get(cid);
      assert.deepEqual(await readAll(object), contents.get(cid));
      assert.equal(object.source, 'nas');
    }
    await store.close();
  });
});
