import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { patternBytes } from '../store/support/bytes';
import { openStore, readAll, TestSite } from '../store/support/stores';
import { temporaryFolder } from '../support/temporary';
import { leftoversIn, objectsIn, startWork } from './store-tools';

/** The steps of a put and a get; each thread of the process is killed at its nth of them, for every n. */
const STEPS = ['mkdir', 'pwrite64', 'fsync', 'rename', 'unlink'];
const MOST = 40;
/** The folders of a new store are made in one go: of so many equal steps only some are looked at. */
const next = (step: string, count: number) => (step === 'mkdir' && count > 9 ? count + 9 : count + 1);
/** One block, several pieces, several levels of SQLite's log. */
const SIZES = [100_000, 2_600_000];

describe('a store whose process is killed at every step', () => {
  const folder = temporaryFolder();
  const [data, nas] = [folder.join('data'), folder.join('nas')];
  const objects = new Map<string, Buffer>();
  let server: TestSite;

  before(async () => {
    server = await TestSite.open('server', { dataDirectory: folder.join('server') });
    for (const [index, size] of SIZES.entries()) {
      const bytes = patternBytes(size, index + 1);
      objects.set((await server.store.put(bytes)).cid, bytes);
    }
  });
  after(() => server.close());

  beforeEach(() => {
    for (const path of [data, nas]) rmSync(path, { recursive: true, force: true });
  });

  /** Kills at the nth call, then looks at what is there; answers whether it was killed. */
  async function killedAt(step: string, count: number, task: 'put' | 'get'): Promise<boolean> {
    rmSync(data, { recursive: true, force: true });
    rmSync(nas, { recursive: true, force: true });
    mkdirSync(nas);
    const inject = `inject=${step}:signal=KILL:when=${count}`;
    const strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${step}`, '-e', inject];
    const port = task === 'put' ? 0 : server.port;
    const work = startWork([task, data, nas, port, ...(task === 'put' ? SIZES : objects.keys())], strace);
    const status = await work.ended;
    const at = `${task} killed at ${step} ${count}`;
    assert.ok(status === 0 || status === 'SIGKILL' || status === 137, `${at}: ${status} ${work.lines}`);
    const acknowledged = work.lines
      .filter(([word]) => word === 'put' || word === 'got')
      .map(([, cid]) => cid!);

    const store = await openStore({ dataDirectory: data, nas, providers: [server.provider()] });
    try {
      // Before anything else is asked of it: what is there is whole.
      if (existsSync(join(nas, 'garua/site.json'))) {
        for (const cid of objectsIn(nas)) {
          const object = await store.get(cid);
          assert.deepEqual(await readAll(object), objects.get(cid), at);
          assert.equal(object.source, 'nas', at);
        }
      }
      for (const cid of acknowledged) {
        const object = await store.get(cid);
        assert.deepEqual(await readAll(object), objects.get(cid), at);
        assert.equal(object.source, 'nas', `${at}: an acknowledged object is not there`);
      }
      for (const [cid, bytes] of objects) assert.deepEqual(await readAll(await store.get(cid)), bytes, at);
      assert.deepEqual((await store.scrub({ bytesPerSecond: 1e9 })).damaged, [], at);
    } finally {
      await store.close();
    }
    // An empty file with which the clock of the NAS was asked is swept a day later.
    assert.deepEqual(
      leftoversIn(nas).filter((name) => !name.endsWith('.clock')),
      [],
      at,
    );
    return status !== 0;
  }

  for (const task of ['put', 'get'] as const) {
    for (const step of STEPS) {
      it(`${task}: at every ${step}`, async function () {
        this.timeout(300_000);
        let kills = 0;
        for (let count = 1; count <= MOST && (await killedAt(step, count, task)); count = next(step, count))
          kills += 1;
        // A get removes nothing when nothing goes wrong.
        if (step !== 'unlink') assert.ok(kills > 0, 'it was never killed');
      });
    }
  }
});
