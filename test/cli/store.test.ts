import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openHost } from '../../lib/control';
import { patternBytes } from '../store/support/bytes';
import { garua, garuaJson, spawnGarua } from '../support/garua';
import { temporaryFolder } from '../support/temporary';

const run = promisify(execFile);
const MAIN = join(__dirname, '../../lib/cli/main.js');

describe('garua put, get and what goes with them', () => {
  const folder = temporaryFolder();
  const data = folder.join('data');
  const bytes = patternBytes(3_000_000);
  const file = folder.join('file');
  let cid: string;

  /** `garua` with bytes coming in, its output as bytes. */
  async function piped(words: string[], input: Uint8Array): Promise<Buffer> {
    const child = spawn(process.execPath, [MAIN, ...words, '--data', data], { stdio: 'pipe' });
    const [output, errors]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => errors.push(chunk));
    child.stdin.end(input);
    const [status] = await once(child, 'close');
    assert.equal(status, 0, Buffer.concat(errors).toString());
    return Buffer.concat(output);
  }

  before(() => writeFileSync(file, bytes));

  for (const owner of ['the command', 'another process'] as const) {
    describe(`when ${owner} owns the data directory`, () => {
      let host: Awaited<ReturnType<typeof openHost>> | undefined;
      before(async () => {
        if (owner === 'another process') host = await openHost({ dataDirectory: data });
      });
      after(() => host?.close());

      it('puts a file under the CID of ipfs_cid', async () => {
        const oracle = execFileSync('ipfs_cid', [file], { encoding: 'utf8', stdio: 'pipe' });
        const put = await garuaJson<{ cid: string; size: number; seconds: number }>(data, 'put', file);
        cid = put.cid;
        assert.equal(cid, JSON.parse(oracle).CIDv1);
        assert.equal(put.size, bytes.length);
        assert.ok(put.seconds > 0);
      });

      it('gets it into a file that is only seen whole, and says where from', async () => {
        const target = folder.join('target');
        const got = await garuaJson<{ source: string; size: number }>(data, 'get', cid, '-o', target);
        assert.deepEqual(readFileSync(target), bytes);
        assert.deepEqual([got.source, got.size], ['nas', bytes.length]);
        assert.deepEqual(
          readdirSync(folder.path).filter((name) => name.endsWith('.tmp')),
          [],
        );
      });

      it('takes what comes in and writes to the output, through pipes', async () => {
        const put = JSON.parse((await piped(['put', '-', '--json'], bytes)).toString());
        assert.equal(put.cid, cid);
        assert.deepEqual(await piped(['get', cid], Buffer.alloc(0)), bytes);
        const { cid: empty } = JSON.parse((await piped(['put', '-', '--json'], Buffer.alloc(0))).toString());
        assert.equal((await piped(['get', empty], Buffer.alloc(0))).length, 0);
        const shell = `node ${MAIN} put - --data ${data} < ${file} > ${folder.join('out')}`;
        await run('sh', ['-c', shell]);
        assert.equal(readFileSync(folder.join('out'), 'utf8'), `${cid}\n`);
        await run('sh', ['-c', `node ${MAIN} get ${cid} --data ${data} > ${folder.join('out')}`]);
        assert.deepEqual(readFileSync(folder.join('out')), bytes);
      });

      it('says who has it, pins, scrubs and collects', async () => {
        const where = await garuaJson<{ sites: string[]; complete: boolean }>(data, 'where', cid);
        assert.equal(where.sites.length, 1);
        assert.equal(where.complete, true);
        assert.equal((await garua(data, 'pin', cid)).status, 0);
        assert.equal((await garua(data, 'unpin', cid)).status, 0);
        const scrub = await garuaJson<{ objects: number; damaged: string[] }>(data, 'scrub', '--rate', '1g');
        assert.deepEqual([scrub.objects, scrub.damaged], [2, []]);
        assert.equal((await garuaJson<{ objects: number }>(data, 'gc')).objects, 2);
      });

      it('fails with a code and a hint, and leaves no file', async () => {
        const absent = 'bafybeifx2uuqmsikhapzlf6rudfhnhikywcynbmlklz77y4egcovp22qpu';
        const missing = await garua(data, 'get', absent, '-o', folder.join('none'));
        assert.equal(missing.status, 1);
        assert.match(missing.stderr, /^error ERR_STORE_OBJECT_NOT_FOUND: .+\nhint: /);
        assert.deepEqual(
          readdirSync(folder.path).filter((name) => /none|\.tmp$/.test(name)),
          [],
        );
        assert.equal((await garua(data, 'get', absent)).status, 1);
        assert.match((await garua(data, 'put', folder.join('nothing'))).stderr, /^error ERR_/);
        assert.match((await garua(data, 'put', folder.path)).stderr, /folder/);
        assert.equal((await garua(data, 'put', file, '--replicate', 'near:0')).status, 1);
        assert.equal((await garua(data, 'put')).status, 2);
      });
    });
  }

  describe('with what garua host was told once', () => {
    const told = folder.join('told');
    const nas = folder.join('nas');

    before(async () => {
      mkdirSync(nas);
      const words = ['host', '--name', 'quay-1', '--site', 'quay', '--nas', nas, '--quota', '4m'];
      const { child, result } = spawnGarua(told, words);
      await once(child.stderr!, 'data');
      child.kill('SIGTERM');
      assert.equal((await result).status, 0);
    });

    it('uses its NAS, its site and its quota', async () => {
      const { cid } = await garuaJson<{ cid: string }>(told, 'put', file);
      assert.ok(readdirSync(join(nas, 'garua/objects', cid.at(-2)!)).includes(cid));
      assert.deepEqual((await garuaJson<{ sites: string[] }>(told, 'where', cid)).sites, ['quay']);
      const large = folder.join('large');
      writeFileSync(large, patternBytes(5_000_000));
      assert.match((await garua(told, 'put', large)).stderr, /^error ERR_STORE_QUOTA_EXCEEDED: /);
    });

    it('names an object and gets it by its name', async () => {
      const still = folder.join('still');
      for (const text of ['first', 'second']) {
        writeFileSync(still, text);
        const { name } = await garuaJson<{ name: string }>(told, 'put', still, '--as', 'door');
        assert.equal(name, 'fog:quay/door');
      }
      assert.equal((await garua(told, 'get', 'fog:quay/door')).stdout, 'second');
      assert.match((await garua(told, 'get', 'fog:quay/none')).stderr, /^error ERR_STORE_NAME_NOT_FOUND: /);
      assert.equal((await garua(told, 'put', still, '--as', 'fog:quay')).status, 1);
    });

    it('refuses what is no quota', async () => {
      assert.match((await garua(told, 'host', '--quota', 'much')).stderr, /^error ERR_INVALID_ARGUMENT: /);
    });
  });
});
