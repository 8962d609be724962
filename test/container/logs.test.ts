import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import type { LogLine } from '../../lib/container';
import { LogParser } from '../../lib/container/log/k8s-format';
import { ContainerFixture } from './fixture';

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

  it('has a bound on the disk, and a follower misses nothing of a log that is begun anew', async () => {
    // 26 MB as conmon writes it, more than the 16 MiB that are kept.
    const script =
      'echo ready; while ! test -e /tmp/go; do sleep 0.02; done; seq 1000000 1500000; while :; do sleep 0.05; done';
    await fixture.deploy({ command: ['sh', '-c', script] });
    const [id] = await readdir(fixture.directory.join('containers'));
    let expected = 1_000_000;
    for await (const { text } of fixture.engine.logs('box', { follow: true })) {
      if (text === 'ready') {
        await writeFile(fixture.directory.join('containers', id!, 'root/tmp/go'), '');
        continue;
      }
      if (Number(text) !== expected) assert.fail(`${text} came, ${expected} was next`);
      expected += 1;
      if (expected > 1_500_000) break;
    }
    const { size } = await stat(fixture.directory.join('containers', id!, 'log/container.log'));
    assert.ok(size <= 16 * 2 ** 20, `the log has ${size} bytes`);
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
