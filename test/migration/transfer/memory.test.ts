import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Round, receive, Sender } from '../../../lib/migration/transfer';
import { temporaryFolder } from '../../support/temporary';
import { streamPair } from './pair';

const MEBIBYTE = 1 << 20;
const PAGE = 4096;

/** Holds 24 MiB of random memory, of which 2 MiB occur twice and 40 MiB are zero; changes a little when told to. */
const PROGRAM = `
  const { randomFillSync } = require('node:crypto');
  const own = randomFillSync(Buffer.alloc(22 << 20));
  const twice = [own.subarray(0, 2 << 20)].map((part) => Buffer.from(part));
  const zero = Buffer.alloc(40 << 20);
  process.stdin.on('data', () => { for (let i = 0; i < 40; i++) own[i * 8192] += 1; process.stdout.write('done'); });
  globalThis.keep = [own, twice, zero];
  process.stdout.write('done');
`;

describe('sending memory ahead', () => {
  const folder = temporaryFolder();
  let child: ChildProcess;
  let sender: Sender;
  let receiving: Promise<void>;
  let images: string;

  async function connect(pageLimit: number): Promise<void> {
    images = folder.join(`images${Math.random()}`);
    mkdirSync(images);
    const [near, far] = streamPair();
    receiving = receive(far, { folders: new Map(), images, log: folder.join('log'), pageLimit }).catch(
      () => {},
    );
    sender = await Sender.open(near);
  }

  before(async () => {
    child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout!, 'data');
  });

  after(() => {
    child.kill('SIGKILL');
  });

  afterEach(async () => {
    await sender.close();
    await receiving;
  });

  it('sends each page of a running process once, and no zeros', async () => {
    await connect(1 << 20);
    const rounds = await sender.warmUp(async () => [child.pid!]);
    const sent = rounds[0]!.pagesSent * PAGE;
    assert.ok(sent > 22 * MEBIBYTE, `${sent} bytes`);
    // A bare Node.js has some 50 MB of its own, most of it the pages of its program file, which do not count.
    assert.ok(sent < 70 * MEBIBYTE, `${sent} bytes`);
    assert.ok(rounds.length >= 2 && rounds.length <= 8);
    assert.ok(rounds[1]!.pagesSent < rounds[0]!.pagesSent / 4, JSON.stringify(rounds));
    child.stdin!.write('change');
    await once(child.stdout!, 'data');
    const [again] = await sender.warmUp(async () => [child.pid!]);
    assert.ok(again!.pagesSent >= 20, `${again!.pagesSent} pages`);
  });

  it('keeps no more pages than the target allows', async () => {
    await connect(1000);
    const rounds = await sender.warmUp(async () => [child.pid!]);
    assert.equal(
      rounds.reduce((sum, round) => sum + round.pagesSent, 0),
      1000,
    );
  });

  it('takes a process that has ended for one without memory', async () => {
    await connect(1000);
    const rounds: Round[] = await sender.warmUp(async () => [2 ** 22 - 1]);
    assert.deepEqual(
      rounds.map(({ pagesSent }) => pagesSent),
      [0],
    );
  });

  it('builds the files of a dump byte for byte, and sends only pages that are not there', async () => {
    await connect(1 << 20);
    await sender.warmUp(async () => [child.pid!]);
    const memory = ownPages(child.pid!, 8 * MEBIBYTE);
    const dump = folder.join('dump');
    mkdirSync(dump, { recursive: true });
    const fresh = randomBytes(3 * PAGE);
    const pages = Buffer.concat([
      memory,
      Buffer.alloc(5 * PAGE),
      fresh,
      memory.subarray(PAGE),
      Buffer.alloc(PAGE),
    ]);
    writeFileSync(`${dump}/pages-1.img`, pages);
    writeFileSync(`${dump}/pages-2.img`, Buffer.alloc(0));
    writeFileSync(`${dump}/core-1.img`, randomBytes(3 * MEBIBYTE));
    writeFileSync(`${dump}/empty.img`, '');
    writeFileSync(`${dump}/dump.log`, 'not needed');
    const before = sender.bytesSent;
    await sender.sendDump(dump);
    await sender.settle();
    const bytes = sender.bytesSent - before;
    assert.ok(bytes < 4 * MEBIBYTE, `${bytes} bytes`);
    for (const file of ['pages-1.img', 'pages-2.img', 'core-1.img', 'empty.img']) {
      assert.ok(readFileSync(`${dump}/${file}`).equals(readFileSync(`${images}/${file}`)), file);
    }
    assert.throws(() => readFileSync(`${images}/dump.log`), { code: 'ENOENT' });
  });

  it('follows a dump that is being written, and says why it is not', async () => {
    await connect(1 << 20);
    const dump = folder.join('written');
    mkdirSync(dump);
    const { promise: written, resolve } = Promise.withResolvers<void>();
    const sending = sender.sendDump(dump, { written });
    const pages = randomBytes(2 * MEBIBYTE);
    // Half a page is none yet.
    for (let at = 0; at < pages.length; at += 300_000) {
      appendFileSync(`${dump}/pages-1.img`, pages.subarray(at, at + 300_000));
      await delay(5);
    }
    writeFileSync(`${dump}/core-1.img`, 'core');
    resolve();
    await sending;
    await sender.settle();
    for (const file of ['pages-1.img', 'core-1.img']) {
      assert.ok(readFileSync(`${dump}/${file}`).equals(readFileSync(`${images}/${file}`)), file);
    }
    const failing = sender.sendDump(folder.path, { written: Promise.reject(new Error('no dump')) });
    await assert.rejects(failing, { message: 'no dump' });
  });

  it('ends at its signal', async () => {
    await connect(1 << 20);
    const call = sender.warmUp(async () => [child.pid!], { signal: AbortSignal.abort() });
    await assert.rejects(call, { code: 'ERR_ABORTED' });
  });
});

/** Bytes in a row of a process's memory, none of whose pages is zero; read without the code that is tested. */
function ownPages(pid: number, size: number): Buffer {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const bytes = Buffer.alloc(size);
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, start, end] = /^(\w+)-(\w+) rw-p 0+ 00:00 0\s*$/.exec(line) ?? [];
      const last = Number.parseInt(end ?? '0', 16) - size;
      // What is larger is address space that is merely reserved.
      for (
        let at = Number.parseInt(start ?? '1', 16);
        at <= last && last - at < 64 * MEBIBYTE;
        at += MEBIBYTE
      ) {
        readSync(memory, bytes, 0, size, at);
        let page = 0;
        while (page < size && bytes.readBigUInt64LE(page + 64) !== 0n) page += PAGE;
        if (page >= size) return bytes;
      }
    }
  } finally {
    closeSync(memory);
  }
  throw new Error('the process has no such memory');
}
