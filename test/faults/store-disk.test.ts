import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectStore } from '../../lib/store';
import { patternBytes } from '../store/support/bytes';
import { openStore, readAll, TestSite } from '../store/support/stores';
import { temporaryFolder } from '../support/temporary';
import { LoopDisk, leftoversIn, objectFile, objectsIn, startWork } from './store-tools';

describe('a store on a NAS in trouble', () => {
  const folder = temporaryFolder();
  let store: ObjectStore | undefined;
  let disk: LoopDisk | undefined;
  let count = 0;
  let own: string;

  beforeEach(() => {
    count += 1;
    own = folder.join(String(count));
    mkdirSync(own);
  });
  afterEach(async () => {
    await store?.close();
    store = undefined;
    disk?.remove();
    disk = undefined;
  });

  const open = async (nas: string, providers: TestSite[] = []) => {
    store = await openStore({
      dataDirectory: join(own, 'data'),
      nas,
      providers: providers.map((site) => site.provider()),
      limits: { nasMs: 1000 },
    });
    return store;
  };

  it('says that it is full, keeps what it has, and goes on when there is room', async () => {
    const nas = join(own, 'small');
    mkdirSync(nas);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'garua-faults', nas]);
    try {
      await open(nas);
      const bytes = patternBytes(2_000_000);
      const { cid } = await store!.put(bytes);
      await assert.rejects(store!.put(patternBytes(3_000_000, 2)), { code: 'ERR_DISK_FULL' });
      assert.deepEqual(leftoversIn(nas), []);
      assert.deepEqual(objectsIn(nas), [cid]);
      assert.deepEqual(await readAll(await store!.get(cid)), bytes);
      await store!.put(patternBytes(1_000_000, 3));
      await store!.close();
      store = undefined;
    } finally {
      execFileSync('umount', [nas]);
    }
  });

  it('says that it is read-only, and still reads', async () => {
    disk = new LoopDisk(own, 32);
    await open(disk.folder);
    const bytes = patternBytes(900_000);
    const { cid } = await store!.put(bytes);
    execFileSync('mount', ['-o', 'remount,ro', disk.folder]);
    await assert.rejects(store!.put(patternBytes(10)), { code: 'ERR_STORE_NAS_READ_ONLY' });
    await assert.rejects(store!.pin(cid), { code: 'ERR_STORE_NAS_READ_ONLY' });
    assert.deepEqual(await readAll(await store!.get(cid)), bytes);
    const fresh = await openStore({ dataDirectory: join(own, 'other'), nas: disk.folder });
    assert.deepEqual(await readAll(await fresh.get(cid)), bytes);
    await fresh.close();
  });

  it('says what a broken disk says, and takes the object from another site', async () => {
    const site = await TestSite.open('whole', { dataDirectory: join(own, 'whole') });
    try {
      disk = new LoopDisk(own, 64);
      await open(disk.folder);
      const bytes = patternBytes(20_000_000);
      const { cid } = await store!.put(bytes);
      disk.lose(8);
      await assert.rejects(async () => readAll(await store!.get(cid)), { code: 'ERR_STORE_NAS_FAILED' });
      await store!.close();
      await site.store.put(bytes);
      await open(disk.folder, [site]);
      const object = await store!.get(cid);
      assert.deepEqual(await readAll(object), bytes);
      assert.equal(object.source, 'site:whole');
    } finally {
      await site.close();
    }
  });

  it('gives up on one that hangs, and goes on as soon as it answers', async function () {
    this.timeout(30_000);
    disk = new LoopDisk(own, 64);
    await open(disk.folder);
    const bytes = patternBytes(300_000);
    const { cid } = await store!.put(bytes);
    const hung = { code: 'ERR_STORE_NAS_HUNG' };
    disk.freeze();
    try {
      await assert.rejects(store!.put(patternBytes(10_000)), hung);
      // Two threads hang by now: nothing more is asked of it, and nobody waits again.
      const asked = Date.now();
      await assert.rejects(store!.put(patternBytes(10_000)), hung);
      assert.ok(Date.now() - asked < 500, 'it waited again');
    } finally {
      disk.thaw();
    }
    for (let tries = 0; ; tries += 1) {
      try {
        await store!.put(patternBytes(10_000));
        break;
      } catch (error) {
        if (tries === 50) throw error;
        await delay(100);
      }
    }
    assert.deepEqual(await readAll(await store!.get(cid)), bytes);
  });

  it('lets the process go on, and end, while it hangs', async function () {
    this.timeout(30_000);
    const nas = join(own, 'nas');
    mkdirSync(join(nas, 'garua'), { recursive: true });
    execFileSync('mkfifo', [join(nas, 'garua/site.json')]);
    const work = startWork(['stuck', join(own, 'stuck'), nas, 0]);
    assert.equal(await Promise.race([work.ended, delay(20_000)]), 7, 'the process did not end');
    const [, code, longest] = work.lines.find(([word]) => word === 'failed')!;
    assert.equal(code, 'ERR_STORE_NAS_HUNG');
    assert.ok(Number(longest) < 500, `the event loop stood still for ${longest} ms`);
  });

  it('reads from another site what hangs when it is opened', async () => {
    const site = await TestSite.open('near', { dataDirectory: join(own, 'near') });
    try {
      const nas = join(own, 'nas');
      mkdirSync(nas);
      await open(nas, [site]);
      const bytes = patternBytes(3_000_000);
      const { cid } = await store!.put(bytes);
      await site.store.put(bytes);
      rmSync(objectFile(nas, cid));
      execFileSync('mkfifo', [objectFile(nas, cid)]);
      const object = await store!.get(cid);
      assert.deepEqual(await readAll(object), bytes);
      assert.equal(object.source, 'site:near');
      assert.deepEqual(readdirSync(join(nas, 'garua/incoming')), []);
    } finally {
      await site.close();
    }
  });
});
