import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ObjectStore } from '../../lib/store';
import { temporaryFolder } from '../support/temporary';
import { patternBytes } from './support/bytes';
import { openStore, readAll } from './support/stores';

const CHUNK = 262_144;

function objectFile(nas: string, cid: string): string {
  return join(nas, 'garua/objects', cid.at(-2)!, cid);
}

describe('a store that is alone', () => {
  const folder = temporaryFolder();
  const data = folder.join('data');
  const nas = folder.join('nas');
  let store: ObjectStore;

  before(async () => {
    mkdirSync(nas);
    store = await openStore({ dataDirectory: data, nas });
  });
  after(() => store.close());

  for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 17, 50 * CHUNK]) {
    it(`gives back ${size} bytes under the CID of ipfs_cid, without the network`, async () => {
      const bytes = patternBytes(size);
      writeFileSync(folder.join('bytes'), bytes);
      const oracle = execFileSync('ipfs_cid', [folder.join('bytes')], { encoding: 'utf8', stdio: 'pipe' });
      const put = await store.put(bytes);
      assert.equal(put.cid, JSON.parse(oracle).CIDv1);
      assert.equal(put.size, size);
      const object = await store.get(JSON.parse(oracle).CIDv0);
      assert.equal(object.size, size);
      assert.deepEqual(await readAll(object), bytes);
      assert.equal(object.source, 'nas');
      assert.equal(object.networkCalls, 0);
    });
  }

  it('holds the bytes as they are at the start of one file', async () => {
    const bytes = patternBytes(300_000, 5);
    const { cid } = await store.put(bytes);
    assert.deepEqual(readFileSync(objectFile(nas, cid)).subarray(0, 300_000), bytes);
    assert.deepEqual(readdirSync(join(nas, 'garua/incoming')), []);
  });

  it('says that nobody has an object, and refuses what is no CID', async () => {
    const absent = 'bafybeifx2uuqmsikhapzlf6rudfhnhikywcynbmlklz77y4egcovp22qpu';
    await assert.rejects(store.get(absent), { code: 'ERR_STORE_OBJECT_NOT_FOUND' });
    await assert.rejects(store.get('hello'), { code: 'ERR_INVALID_ARGUMENT' });
    await assert.rejects(store.get('bafkreifx2uuqmsikhapzlf6rudfhnhikywcynbmlklz77y4egcovp22qpu'), {
      code: 'ERR_INVALID_ARGUMENT',
    });
    assert.deepEqual(await store.where(absent), { cid: absent, sites: [], complete: true });
  });

  it('leaves nothing of a put that is cancelled or whose source fails', async () => {
    const abort = new AbortController();
    const endless = (async function* () {
      for (let count = 0; ; count += 1) {
        if (count === 20) abort.abort();
        yield patternBytes(CHUNK, count);
      }
    })();
    await assert.rejects(store.put(endless, { signal: abort.signal }), { code: 'ERR_ABORTED' });
    const failing = (async function* () {
      yield patternBytes(CHUNK);
      throw new Error('no more');
    })();
    await assert.rejects(store.put(failing), /no more/);
    assert.deepEqual(readdirSync(join(nas, 'garua/incoming')), []);
  });

  for (const [what, damage] of [
    ['a flipped bit', (path: string) => flip(path, 3 * CHUNK + 5)],
    ['a flipped bit in its list of hashes', (path: string) => flip(path, 5 * CHUNK + 3)],
    ['no end', (path: string) => truncateSync(path, 2 * CHUNK)],
    ['no bytes', (path: string) => truncateSync(path, 0)],
  ] as const) {
    it(`never hands out an object with ${what}, and takes it anew from a put`, async () => {
      const bytes = patternBytes(5 * CHUNK, what.length);
      const { cid } = await store.put(bytes);
      damage(objectFile(nas, cid));
      await assert.rejects(async () => readAll(await store.get(cid)), { code: 'ERR_STORE_OBJECT_CORRUPT' });
      assert.equal(existsSync(objectFile(nas, cid)), false);
      assert.ok(readdirSync(join(nas, 'garua/quarantine')).some((name) => name.startsWith(cid)));
      await assert.rejects(store.get(cid), { code: 'ERR_STORE_OBJECT_NOT_FOUND' });
      await store.put(bytes);
      assert.deepEqual(await readAll(await store.get(cid)), bytes);
    });
  }

  it('finds damage by scrubbing', async () => {
    const { cid } = await store.put(patternBytes(3 * CHUNK, 77));
    flip(objectFile(nas, cid), CHUNK);
    const result = await store.scrub({ bytesPerSecond: 1e9 });
    assert.deepEqual(result.damaged, [cid]);
    assert.deepEqual(result.repaired, []);
    assert.ok(result.objects > 5);
    assert.deepEqual((await store.scrub({ bytesPerSecond: 1e9 })).damaged, []);
  });

  it('is the same store for another host of the site', async () => {
    const other = await openStore({ dataDirectory: folder.join('other'), nas, writer: 'other' });
    try {
      const bytes = patternBytes(700_000, 9);
      const { cid } = await store.put(bytes);
      const object = await other.get(cid);
      assert.deepEqual(await readAll(object), bytes);
      assert.deepEqual([object.source, object.networkCalls], ['nas', 0]);
    } finally {
      await other.close();
    }
  });

  it('builds its index anew from the NAS when it is damaged or gone', async () => {
    const before = await store.gc();
    await store.close();
    writeFileSync(join(data, 'store.db'), patternBytes(20_000));
    store = await openStore({ dataDirectory: data, nas });
    assert.deepEqual(await store.gc(), before);
    await store.close();
    for (const end of ['', '-wal', '-shm']) rmSync(join(data, `store.db${end}`), { force: true });
    store = await openStore({ dataDirectory: data, nas });
    const { objects, bytes } = await store.gc();
    assert.deepEqual({ objects, bytes }, { objects: before.objects, bytes: before.bytes });
  });

  it('never evicts without another site, whatever the quota', async () => {
    const small = await openStore({ dataDirectory: data + 2, nas, quota: { site: 1000 } });
    try {
      assert.deepEqual((await small.gc()).evicted, []);
      await assert.rejects(small.put(patternBytes(5000, 3)), { code: 'ERR_STORE_QUOTA_EXCEEDED' });
      assert.deepEqual(readdirSync(join(nas, 'garua/incoming')), []);
      assert.deepEqual(readdirSync(join(nas, 'garua/evicting')), []);
    } finally {
      await small.close();
    }
  });

  it('does not write into the folder when the NAS is not mounted there, and goes on when it is back', async () => {
    const { cid } = await store.put(patternBytes(1000, 4));
    renameSync(nas, `${nas}-away`);
    mkdirSync(nas);
    const missing = { code: 'ERR_STORE_NAS_MISSING' };
    await assert.rejects(store.put(patternBytes(1000, 5)), missing);
    await assert.rejects(store.get(cid), missing);
    await assert.rejects(store.pin(cid), missing);
    const fresh = await openStore({ dataDirectory: data + 3, nas: folder.join('absent') });
    await assert.rejects(fresh.put(patternBytes(10)), missing);
    await fresh.close();
    assert.deepEqual(readdirSync(nas), []);
    rmSync(nas, { recursive: true });
    renameSync(`${nas}-away`, nas);
    assert.equal((await readAll(await store.get(cid))).length, 1000);
    await store.put(patternBytes(1000, 6));
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 4;
  writeFileSync(path, bytes);
}
