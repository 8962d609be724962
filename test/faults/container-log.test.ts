import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLine } from '../../lib/container';
import { LogParser } from '../../lib/container/log/k8s-format';
import { ContainerFixture, eventually } from '../container/fixture';

describe('container: its log', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  async function read(options: Parameters<ContainerFixture['engine']['logs']>[1] = {}): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of fixture.engine.logs('box', options)) lines.push(line);
    return lines;
  }
  const texts = (lines: LogLine[]) => lines.map(({ text }) => text);

  it('gives the last lines, and those after a time', async () => {
    await fixture.run('echo 1; echo 2; sleep 0.1; echo 3; echo 4');
    assert.deepEqual(texts(await read({ tail: 1 })), ['4']);
    assert.deepEqual(texts(await read({ tail: 0 })), []);
    assert.deepEqual(texts(await read({ tail: 99 })), ['1', '2', '3', '4']);
    const all = await read();
    assert.ok(!Number.isNaN(Date.parse(all[1]!.time)));
    assert.deepEqual(texts(await read({ since: all[1]!.time })), ['3', '4']);
    // A follower that comes back with the time of its last line gets no line twice.
    assert.deepEqual(texts(await read({ since: all[3]!.time })), []);
    assert.deepEqual(texts(await read({ since: new Date(Date.now() + 60_000).toISOString() })), []);
  });

  it('refuses what makes no sense', async () => {
    await fixture.run('true');
    await assert.rejects(read({ tail: -1 }), { code: 'ERR_INVALID_ARGUMENT', message: /^tail/ });
    await assert.rejects(read({ since: 'yesterday' }), { code: 'ERR_INVALID_ARGUMENT', message: /^since/ });
    await assert.rejects(fixture.engine.logs('nobody').next(), { code: 'ERR_CONTAINER_NOT_FOUND' });
  });

  it('joins long lines, and keeps characters that were cut', async () => {
    const { stdout } = await fixture.run(
      'i=0; while [ $i -lt 3000 ]; do printf "aäöü€𝄞"; i=$((i+1)); done; echo; printf tail',
    );
    assert.equal(stdout[0], 'aäöü€𝄞'.repeat(3000));
    assert.equal(stdout[1], 'tail');
  });

  it('follows new lines until the signal, with all that was there by then', async () => {
    const end = new AbortController();
    await fixture.deploy({ command: ['sh', '-c', 'echo a; sleep 0.15; echo b; sleep 0.15; echo c'] });
    const reading = read({ follow: true, signal: end.signal });
    await fixture.engine.wait('box');
    end.abort();
    assert.deepEqual(texts(await reading), ['a', 'b', 'c']);
  });

  it('follows over a replacement, until the container is removed', async () => {
    const loop = 'trap "exit 0" TERM; while :; do sleep 0.02; done';
    await fixture.deploy({ command: ['sh', '-c', `echo first; ${loop}`] });
    const lines = fixture.engine.logs('box', { follow: true });
    assert.equal((await lines.next()).value?.text, 'first');
    await fixture.deploy({ command: ['sh', '-c', `echo second; ${loop}`] });
    assert.equal((await lines.next()).value?.text, 'second');
    await fixture.engine.remove('box', { force: true, graceMs: 0 });
    assert.equal((await lines.next()).done, true);
  });

  /** Bytes on the disk, and how many files they are in. */
  async function onDisk(): Promise<{ bytes: number; files: number }> {
    const [id] = await readdir(fixture.directory.join('containers'));
    const folder = fixture.directory.join('containers', id!, 'log');
    const stats = (await readdir(folder, { recursive: true })).map((file) => lstatSync(join(folder, file)));
    const files = stats.filter((stat) => stat.isFile());
    return { bytes: files.reduce((sum, { size }) => sum + size, 0), files: files.length };
  }

  /** Writes numbers once the returned function is called, then says `end` and stays. */
  async function deployFlood(count: number): Promise<() => Promise<void>> {
    const script = `while ! test -e /tmp/go; do sleep 0.02; done; seq 1000001 ${1_000_000 + count}; echo end; while :; do sleep 0.05; done`;
    await fixture.deploy({ command: ['sh', '-c', script] });
    const [id] = await readdir(fixture.directory.join('containers'));
    return () => writeFile(fixture.directory.join('containers', id!, 'root/tmp/go'), '');
  }

  it('has a bound on the disk under a flood of 200 MB, blocks nobody, and keeps the newest', async () => {
    const count = 3_800_000;
    const begin = await deployFlood(count);
    await begin();
    let followed = 0;
    let last = 0;
    for await (const { text } of fixture.engine.logs('box', { follow: true })) {
      if (text === 'end') break;
      followed += 1;
      assert.ok(Number(text) > last, `${text} after ${last}`);
      last = Number(text);
    }
    assert.equal(last, 1_000_000 + count);
    assert.ok(followed > 100_000, `${followed} lines were followed`);
    await eventually(async () => (await onDisk()).files <= 3);
    const { bytes } = await onDisk();
    assert.ok(bytes <= 32 * 2 ** 20, `the log has ${bytes} bytes`);
    assert.ok(bytes >= 16 * 2 ** 20, `the log has ${bytes} bytes`);
    // What is kept has no gap.
    let expected: number | undefined;
    for await (const { text } of fixture.engine.logs('box')) {
      if (text === 'end') break;
      if (expected !== undefined && Number(text) !== expected) assert.fail(`${text} is not ${expected}`);
      expected = Number(text) + 1;
    }
    assert.equal(expected, 1_000_001 + count);
  });

  it('gives a follower each line of a log that rotates', async () => {
    // 26 MB as conmon writes it.
    const begin = await deployFlood(500_000);
    let expected = 1_000_001;
    const lines = fixture.engine.logs('box', { follow: true });
    const first = lines.next();
    await begin();
    for (let line = await first; !line.done && line.value.text !== 'end'; line = await lines.next()) {
      if (Number(line.value.text) !== expected) assert.fail(`${line.value.text} came, ${expected} was next`);
      expected += 1;
    }
    await lines.return(undefined);
    assert.equal(expected, 1_500_001);
  });

  it('keeps its bound and the newest lines while no Garua runs, and is found again', async () => {
    const begin = await deployFlood(1_500_000);
    const { pid } = await fixture.engine.get('box');
    await fixture.close();
    await begin();
    const [id] = await readdir(fixture.directory.join('containers'));
    const log = fixture.directory.join('containers', id!, 'log/container.log');
    await eventually(async () => (await readFile(log, 'utf8').catch(() => '')).endsWith(' end\n'));
    assert.ok((await onDisk()).bytes <= 32 * 2 ** 20);
    await fixture.open();
    assert.equal((await fixture.engine.get('box')).pid, pid);
    assert.deepEqual(texts(await read({ tail: 2 })), ['2500000', 'end']);
    assert.ok((await onDisk()).bytes <= 32 * 2 ** 20);
  });

  it('goes on over restarts, within its bound', async () => {
    const script = 'seq 1 60000; echo "run $(cat /runs)"; echo x >> /runs';
    await fixture.run(`touch /runs; ${script}`);
    for (let run = 0; run < 12; run += 1) {
      await fixture.engine.start('box');
      await fixture.engine.wait('box');
    }
    const runs = texts(await read()).filter((text) => text.startsWith('run')).length;
    assert.ok(runs >= 5 && runs <= 13, `${runs} runs are in the log`);
    assert.ok((await onDisk()).bytes <= 32 * 2 ** 20);
    assert.equal((await read({ tail: 100 })).length, 100);
  });

  it('finds the last lines from the end, also where the streams and parts of lines are mixed', async () => {
    const record = (index: number, stream: string, flag: string, text: string) =>
      `2026-01-01T00:00:00.${String(index).padStart(9, '0')}Z ${stream} ${flag} ${text}\n`;
    await fixture.run('true');
    const [id] = await readdir(fixture.directory.join('containers'));
    const folder = fixture.directory.join('containers', id!, 'log/segments');
    const random = mulberry(7);
    const records: string[] = [];
    for (let index = 0; index < 9_000; index += 1) {
      const flag = random() < 0.4 ? 'P' : 'F';
      const length = Math.floor(random() * (random() < 0.05 ? 8_000 : 60));
      records.push(
        record(index, random() < 0.2 ? 'stderr' : 'stdout', flag, `${index}:${'x'.repeat(length)}`),
      );
    }
    await rm(folder, { recursive: true });
    await mkdir(folder);
    for (let file = 0; file < 3; file += 1) {
      const part = records.slice(file * 3_000, file * 3_000 + 3_000).join('');
      await writeFile(join(folder, String(file + 1).padStart(8, '0')), part);
    }
    await rm(join(folder, '../container.log'));
    await symlink('segments/00000003', join(folder, '../container.log'));
    const all = await read();
    assert.ok(all.length > 4_000);
    for (const tail of [0, 1, 2, 3, 10, 99, 1_500, 3_100, all.length, all.length + 5]) {
      const expected = tail === 0 ? [] : all.slice(-tail);
      assert.deepEqual(await read({ tail }), expected, `tail ${tail}`);
    }
    for (const index of [0, 5, 2_000, all.length - 1]) {
      const first = all.findIndex(({ time }) => time > all[index]!.time);
      assert.deepEqual(await read({ since: all[index]!.time }), first < 0 ? [] : all.slice(first));
    }
  });

  it('gives what is no UTF-8 as replacement characters, and cuts a line without an end between characters', async () => {
    const { stdout } = await fixture.run("printf 'a\\377\\000b\\n'; yes ü | tr -d '\\n' | head -c 3000000");
    assert.equal(stdout[0], 'a\uFFFD\0b');
    assert.ok(stdout.length > 2 && stdout.every((text) => text.length < 2 ** 20));
    assert.equal(stdout.slice(1).join(''), 'ü'.repeat(1_500_000));
  });

  it('is bounded in memory for a program that never ends its line', () => {
    const parser = new LogParser();
    const part = Buffer.from(`2026-01-01T00:00:00Z stdout P ${'x'.repeat(8192)}\n`);
    let lines = 0;
    for (let index = 0; index < 300; index += 1) lines += parser.push(part).length;
    assert.equal(lines, 2);
  });

  it('parses records that come in pieces, and skips what is none', () => {
    const parser = new LogParser();
    const text = Buffer.from(
      '2026-01-01T00:00:00Z stderr F ü x\n\nnonsense\n2026-01-01T00:00:01Z stdout F \n',
    );
    const lines = [...text].flatMap((_, index) => parser.push(text.subarray(index, index + 1)));
    assert.deepEqual(lines, [
      { time: '2026-01-01T00:00:00Z', stream: 'stderr', text: 'ü x' },
      { time: '2026-01-01T00:00:01Z', stream: 'stdout', text: '' },
    ]);
  });
});

/** Numbers in [0, 1) that are the same at each run. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
