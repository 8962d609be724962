import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { patternBytes } from '../store/support/bytes';
import { TestSite } from '../store/support/stores';
import { temporaryFolder } from '../support/temporary';
import { startWork } from './store-tools';

const BYTES = 2 ** 31;
const MOST_MEGABYTES = 64;

describe('an object of 2 GiB', () => {
  const folder = temporaryFolder();
  const nas = folder.join('nas');
  let cid: string;

  before(() => mkdirSync(nas));

  it('is put under the CID of ipfs_cid, in little memory', async function () {
    this.timeout(300_000);
    const work = startWork(['large-put', folder.join('data'), nas, 0, BYTES]);
    assert.equal(await work.ended, 0, JSON.stringify(work.lines));
    const [, named, megabytes] = work.lines.find(([word]) => word === 'large') as [string, string, string];
    cid = named;
    const file = folder.join('sparse');
    writeFileSync(file, '');
    truncateSync(file, BYTES);
    assert.equal(
      cid,
      JSON.parse(execFileSync('ipfs_cid', [file], { encoding: 'utf8', stdio: 'pipe' })).CIDv1,
    );
    rmSync(file);
    assert.ok(Number(megabytes) < MOST_MEGABYTES, `${megabytes} MB over idle`);
  });

  it('is fetched by another site, in little memory', async function () {
    this.timeout(300_000);
    const server = await TestSite.open('server', { dataDirectory: folder.join('server'), nas });
    try {
      const small = (await server.store.put(patternBytes(2_000_000))).cid;
      const there = folder.join('there');
      mkdirSync(there);
      const work = startWork(['large-get', folder.join('getter'), there, server.port, small, cid]);
      assert.equal(await work.ended, 0, JSON.stringify(work.lines));
      const [, size, megabytes] = work.lines.find(([word]) => word === 'large') as [string, string, string];
      assert.equal(Number(size), BYTES);
      assert.ok(Number(megabytes) < MOST_MEGABYTES, `${megabytes} MB over idle`);
    } finally {
      await server.close();
    }
  });
});
