import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Locator, Provider } from '../../lib/store';
import { signedBytes } from '../../lib/store/names/record';
import { temporaryFolder } from '../support/temporary';
import { patternBytes } from './support/bytes';
import { openStore, readAll, TestSite, testSigner } from './support/stores';

const CHUNK = 262_144;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

describe('stores of several sites', () => {
  const folder = temporaryFolder();
  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(item: T): T => {
    open.push(item);
    return item;
  };
  const site = async (name: string, onBlock?: () => Promise<void>) =>
    keep(await TestSite.open(name, { dataDirectory: folder.join(`site-${name}`) }, onBlock));
  let stores = 0;
  const here = async (providers: Provider[], more = {}) => {
    stores += 1;
    return keep(await openStore({ dataDirectory: folder.join(`here-${stores}`), providers, ...more }));
  };
  afterEach(async () => {
    for (const item of open.splice(0)) await item.close();
  });

  it('fetches from the nearest site, keeps a copy, and asks nobody the second time', async () => {
    const [far, near] = [await site('far'), await site('near')];
    const bytes = patternBytes(6 * CHUNK + 9);
    const { cid } = await far.store.put(bytes);
    await near.store.put(bytes);
    const [farProvider, nearProvider] = [far.provider(40), near.provider(5)];
    const store = await here([farProvider, nearProvider]);
    const first = await store.get(cid);
    assert.deepEqual(await readAll(first), bytes);
    assert.equal(first.source, 'site:near');
    assert.equal(first.networkCalls, 3);
    assert.deepEqual(farProvider.reads, []);
    const calls = farProvider.calls + nearProvider.calls;
    const second = await store.get(cid);
    assert.deepEqual(await readAll(second), bytes);
    assert.deepEqual([second.source, second.networkCalls], ['nas', 0]);
    assert.equal(farProvider.calls + nearProvider.calls, calls);
    assert.deepEqual(await store.where(cid), { cid, sites: ['far', 'here', 'near'], complete: true });
  });

  it('goes on in the middle at the next site when one dies', async () => {
    let blocks = 0;
    const dying = await site('dying', async () => {
      blocks += 1;
      if (blocks > 20) throw new Error('dead');
    });
    const other = await site('other');
    const bytes = patternBytes(200 * CHUNK + 5);
    const { cid } = await dying.store.put(bytes);
    await other.store.put(bytes);
    const provider = other.provider(10);
    const store = await here([dying.provider(1), provider]);
    const object = await store.get(cid);
    assert.deepEqual(await readAll(object), bytes);
    assert.equal(object.source, 'site:other');
    // 20 blocks are the root, a node and 18 leaves.
    assert.deepEqual(provider.reads, [18]);
  });

  it('goes on with what a fetch in an earlier process left', async () => {
    let blocks = 0;
    const limited = await site('limited', async () => {
      blocks += 1;
      if (blocks === 31) throw new Error('dead');
    });
    const bytes = patternBytes(60 * CHUNK);
    const { cid } = await limited.store.put(bytes);
    const provider = limited.provider();
    const options = { dataDirectory: folder.join('resumed'), providers: [provider] };
    const first = await openStore(options);
    await assert.rejects(async () => readAll(await first.get(cid)), { code: 'ERR_STORE_FETCH_FAILED' });
    await first.close();
    const second = keep(await openStore(options));
    assert.deepEqual(await readAll(await second.get(cid)), bytes);
    assert.deepEqual(provider.reads, [0, 28]);
    assert.deepEqual(readdirSync(join(options.dataDirectory, 'nas/garua/incoming')), []);
  });

  it('starts again when what an earlier fetch left is damaged', async () => {
    let blocks = 0;
    const limited = await site('broken', async () => {
      blocks += 1;
      if (blocks === 31) throw new Error('dead');
    });
    const bytes = patternBytes(60 * CHUNK, 2);
    const { cid } = await limited.store.put(bytes);
    const provider = limited.provider();
    const options = { dataDirectory: folder.join('damaged'), providers: [provider] };
    const first = await openStore(options);
    await assert.rejects(async () => readAll(await first.get(cid)));
    await first.close();
    const incoming = join(options.dataDirectory, 'nas/garua/incoming');
    const [name] = readdirSync(incoming);
    const left = readFileSync(join(incoming, name!));
    left[CHUNK + 7]! ^= 1;
    writeFileSync(join(incoming, name!), left);
    const second = keep(await openStore(options));
    assert.deepEqual(await readAll(await second.get(cid)), bytes);
    assert.deepEqual(provider.reads, [0, 28, 0]);
    assert.deepEqual(readdirSync(incoming), []);
  });

  it('joins gets of the same object, and one may leave while the other goes on', async () => {
    const slow = await site('slow', () => delay(2));
    const bytes = patternBytes(40 * CHUNK);
    const { cid } = await slow.store.put(bytes);
    const provider = slow.provider();
    const store = await here([provider]);
    const abort = new AbortController();
    const [one, two, three] = await Promise.all([
      store.get(cid),
      store.get(cid),
      store.get(cid, { signal: abort.signal }),
    ]);
    const leaving = assert.rejects(readAll(three), { code: 'ERR_ABORTED' });
    abort.abort();
    assert.deepEqual(await Promise.all([readAll(one), readAll(two)]), [bytes, bytes]);
    await leaving;
    assert.deepEqual(provider.reads, [0]);
  });

  it('stops fetching when nobody wants the object any more, and can be asked again at once', async () => {
    const slow = await site('slow2', () => delay(5));
    const bytes = patternBytes(60 * CHUNK);
    const { cid } = await slow.store.put(bytes);
    const store = await here([slow.provider()]);
    const object = await store.get(cid);
    const closing = object.close();
    const again = await store.get(cid);
    assert.deepEqual(await readAll(again), bytes);
    await closing;
  });

  it('continues a damaged local copy from another site, and has a whole one then', async () => {
    const other = await site('whole');
    const bytes = patternBytes(30 * CHUNK);
    const { cid } = await other.store.put(bytes);
    const store = await here([other.provider()]);
    await store.put(bytes);
    const path = join(folder.join(`here-${stores}`), 'nas/garua/objects', cid.at(-2)!, cid);
    const damaged = readFileSync(path);
    damaged[20 * CHUNK]! ^= 1;
    writeFileSync(path, damaged);
    const object = await store.get(cid);
    assert.deepEqual(await readAll(object), bytes);
    assert.equal(object.source, 'site:whole');
    const second = await store.get(cid);
    assert.deepEqual(await readAll(second), bytes);
    assert.equal(second.source, 'nas');
    writeFileSync(path, damaged);
    const { damaged: found, repaired } = await store.scrub({ bytesPerSecond: 1e9 });
    assert.deepEqual([found, repaired], [[cid], [cid]]);
  });

  it('asks the locator for what no connected site has, and tells it what it keeps', async () => {
    const remote = await site('remote');
    const bytes = patternBytes(3 * CHUNK);
    const { cid } = await remote.store.put(bytes);
    const provided: string[] = [];
    const locator: Locator = {
      provide: async (announced) => void provided.push(announced),
      async *findProviders(wanted) {
        if (wanted === cid) yield remote.provider(100);
      },
    };
    const store = await here([], { locator });
    assert.deepEqual(await readAll(await store.get(cid)), bytes);
    await until(() => provided.includes(cid));
    await assert.rejects(store.get('bafybeifx2uuqmsikhapzlf6rudfhnhikywcynbmlklz77y4egcovp22qpu'), {
      code: 'ERR_STORE_OBJECT_NOT_FOUND',
    });
  });

  it('replicates to the nearest sites, and later to one that was away', async () => {
    const [a, b, c] = [await site('a'), await site('b'), await site('c')];
    const connected: Provider[] = [a.provider(3), b.provider(2)];
    const sites = { met: async () => {}, connected: () => connected, names: () => ['a', 'b', 'c'] };
    const store = keep(
      await openStore({ dataDirectory: folder.join('origin'), sites, limits: { repairMs: 50 } }),
    );
    const bytes = patternBytes(4 * CHUNK);
    const near = await store.put(bytes, { replicate: 'near:1' });
    assert.deepEqual([near.replicas, near.pending], [['b'], []]);
    assert.deepEqual(await b.store.have([near.cid]), [true]);
    assert.deepEqual(await a.store.have([near.cid]), [false]);
    const all = await store.put(patternBytes(4 * CHUNK, 2), { replicate: 'all' });
    assert.deepEqual([all.replicas.sort(), all.pending], [['a', 'b'], ['c']]);
    assert.equal((await store.where(all.cid)).complete, false);
    connected.push(c.provider(9));
    store.siteConnected('c');
    await until(async () => (await c.store.have([all.cid]))[0]!);
    assert.deepEqual((await store.where(all.cid)).sites, ['a', 'b', 'c', 'here']);
    await assert.rejects(store.put(bytes, { replicate: 'near:0' as never }), {
      code: 'ERR_INVALID_ARGUMENT',
    });
  });

  it('evicts least recently used first, only what another site has, and never what is pinned', async () => {
    const other = await site('keeper');
    const provider = other.provider();
    const options = {
      dataDirectory: folder.join('evicting'),
      providers: [provider],
      limits: { evictionGraceMs: 0 },
    };
    const roomy = await openStore(options);
    const put = async (seed: number) => (await roomy.put(patternBytes(CHUNK, seed))).cid;
    const [alone, pinned, old, recent] = [await put(1), await put(2), await put(3), await put(4)];
    for (const seed of [2, 3, 4]) await other.store.put(patternBytes(CHUNK, seed));
    await roomy.pin(pinned);
    await roomy.close();
    const store = keep(await openStore({ ...options, quota: { site: 4 * (CHUNK + 500) } }));
    const { cid } = await store.put(patternBytes(CHUNK, 5));
    assert.deepEqual(await store.have([alone, pinned, old, recent, cid]), [true, true, false, true, true]);
    // Not only out of sight: the put has made the room that it needed.
    assert.deepEqual(readdirSync(join(options.dataDirectory, 'nas/garua/evicting')), []);
    const back = await store.get(old);
    await readAll(back);
    assert.equal(back.source, 'site:keeper');
    await store.unpin(pinned);
    await store.gc();
    assert.deepEqual(await store.have([alone, cid]), [true, true]);
  });

  it('keeps names that their writers signed; the last one wins', async () => {
    const other = await site('city');
    const [one, two] = [
      await here([other.provider()], { writer: 'one' }),
      await here([other.provider()], { writer: 'two' }),
    ];
    const { cid: first } = await other.store.put(patternBytes(10));
    const { cid: second } = await other.store.put(patternBytes(20));
    await one.putName('fog:city/camera/still', first);
    assert.equal((await two.getName('fog:city/camera/still')).cid, first);
    await two.putName('fog:city/camera/still', second);
    assert.equal((await one.getName('fog:city/camera/still')).writer, 'two');
    assert.deepEqual(await readAll(await one.get('fog:city/camera/still')), patternBytes(20));
    const record = await one.getName('fog:city/camera/still');
    await assert.rejects(other.store.acceptName({ ...record, cid: first }), {
      code: 'ERR_STORE_NAME_INVALID',
    });
    await assert.rejects(one.getName('fog:city/none'), { code: 'ERR_STORE_NAME_NOT_FOUND' });
    await assert.rejects(one.getName('fog:nothing'), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('does not let a wrong clock hold a name', async () => {
    const store = await here([]);
    const [{ cid: first }, { cid: second }] = [
      await store.put(patternBytes(10)),
      await store.put(patternBytes(20)),
    ];
    const record = await store.putName('fog:here/still', first);
    const forged = { ...record, time: Number.MAX_SAFE_INTEGER, writer: 'other' };
    const signature = await testSigner('other').sign(signedBytes(forged));
    const future = { ...forged, signature: Buffer.from(signature).toString('base64') };
    await assert.rejects(store.acceptName(future), { code: 'ERR_STORE_NAME_INVALID' });
    const now = Date.now;
    try {
      // This host's own clock was three days ahead for a while.
      Date.now = () => now() + 3 * 86_400_000;
      await store.putName('fog:here/still', second);
    } finally {
      Date.now = now;
    }
    await assert.rejects(store.getName('fog:here/still'), { code: 'ERR_STORE_NAME_NOT_FOUND' });
    await store.putName('fog:here/still', first);
    assert.equal((await store.getName('fog:here/still')).cid, first);
  });

  it('keeps to its quota when several hosts write', async () => {
    const keeper = await site('library');
    const nas = folder.join('shared-nas');
    mkdirSync(nas);
    const open = async (writer: string) =>
      keep(
        await openStore({
          ...{ dataDirectory: folder.join(writer), nas, writer, providers: [keeper.provider()] },
          ...{ quota: { site: 5 * (CHUNK + 500) }, limits: { evictionGraceMs: 0 } },
        }),
      );
    const writers = [await open('host-1'), await open('host-2')];
    for (let seed = 50; seed < 58; seed += 1) {
      const bytes = patternBytes(CHUNK, seed);
      await keeper.store.put(bytes);
      await writers[seed % 2]!.put(bytes);
      // So that each looks again at what the other one has written.
      await delay(600);
    }
    const { objects } = await writers[0]!.gc();
    assert.ok(objects <= 5 && objects >= 4, `${objects} objects`);
    await assert.rejects(writers[1]!.put(patternBytes(6 * CHUNK, 99)), { code: 'ERR_STORE_QUOTA_EXCEEDED' });
    assert.equal((await writers[1]!.gc()).objects, objects, 'what cannot fit has driven others out');
  });
});
