import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerStatus, PullResult } from '../../lib';
import { type CliResult, garua, garuaJson } from '../support/garua';
import { busyboxLayer, fileLayer, makeImage } from '../support/images';
import { startRegistry, type TestRegistry } from '../support/registry';
import {
  chainIdsOf,
  finishedLayers,
  halfDone,
  mountsBelow,
  namesIn,
  processesWith,
  withSmallDisk,
} from './tools';

/** Kilobytes: too few for the lock file's folder, the database, the first blob, a layer, its index entry ... */
const SIZES = [16, 48, 96, 160, 400, 1500, 2600, 3400, 5000, 7200, 9300];
const FILES = 700;

describe('a disk that gets full', () => {
  const many = Object.fromEntries(Array.from({ length: FILES }, (_, file) => [`srv/${file}`, `${file}`]));
  const image = makeImage({
    layers: [busyboxLayer(), fileLayer({ 'opt/random': randomBytes(1_500_000) }), fileLayer(many)],
    compression: ['gzip', 'none', 'gzip'],
    config: { Cmd: ['sh', '-c', 'echo runs'], Env: ['PATH=/bin'] },
  });
  const chainIds = chainIdsOf(image.config.rootfs.diff_ids);
  let registry: TestRegistry;
  let ref: string;

  before(async () => {
    registry = await startRegistry();
    ref = `${registry.host}/fog/disk:1`;
    await registry.push(image, 'fog/disk', '1');
  });
  after(() => registry.stop());

  function assertDiskFull({ status, stdout, stderr }: CliResult, what: string): void {
    assert.equal(status, 1, `${what}: ${stderr}`);
    assert.equal(stdout, '', what);
    assert.match(stderr, /^error ERR_DISK_FULL: no space left .+\nhint: .+\n$/, what);
  }

  /** Every layer under a final name has all its files. */
  function assertLayersWhole(data: string): void {
    for (const chainId of finishedLayers(data)) {
      const folder = join(data, 'layers', chainId.slice(7));
      const index = chainIds.indexOf(chainId);
      if (index === 0) assert.ok(existsSync(join(folder, 'bin/busybox')));
      if (index === 1) execFileSync('test', ['-s', join(folder, 'opt/random')]);
      if (index === 2) assert.equal(readdirSync(join(folder, 'srv')).length, FILES);
    }
  }

  it('fails a pull with a code and a hint, leaves nothing half done, and lets it go on later', async () => {
    const outcomes: string[] = [];
    for (const size of SIZES) {
      await withSmallDisk(`${size}k`, async (disk) => {
        const data = join(disk.path, 'data');
        const first = await garua(data, 'pull', ref, '--json');
        outcomes.push(`${size}k: ${first.status === 0 ? 'fits' : `${finishedLayers(data).length} layers`}`);
        if (first.status !== 0) {
          assertDiskFull(first, `pull with ${size} kB`);
          assertLayersWhole(data);
          disk.resize('40m');
          // Opening the data directory tidies up.
          const images = await garuaJson<unknown[]>(data, 'images');
          assert.deepEqual(images, [], `images with ${size} kB`);
          // What arrived of the layer after the one that failed may wait for the next pull.
          const left = halfDone(data).filter((name) => !name.startsWith('blobs/'));
          assert.deepEqual(left, [], `left with ${size} kB`);
        }
        disk.resize('40m');
        const { chainIds: pulled } = await garuaJson<PullResult>(data, 'pull', ref);
        assert.deepEqual(pulled, chainIds);
        assertLayersWhole(data);
        assert.deepEqual([halfDone(data), namesIn(join(data, 'blobs'))], [[], []]);
        const run = await garua(data, 'run', ref, '--net', 'none', '--name', 'after');
        assert.deepEqual(run, { status: 0, stdout: 'runs\n', stderr: '' }, `run with ${size} kB`);
        assert.equal((await garua(data, 'rm', 'after')).status, 0);
      });
    }
    console.log(`    ${outcomes.join(', ')}`);
    assert.ok(outcomes.filter((outcome) => !outcome.endsWith('fits')).length >= 8);
    assert.ok(new Set(outcomes.map((outcome) => outcome.replace(/.*: /, ''))).size >= 3);
  });

  it('fails a run in the same way, and leaves nothing of it', async () => {
    await withSmallDisk('40m', async (disk) => {
      const data = join(disk.path, 'data');
      await garuaJson(data, 'pull', ref);
      const words = ['--net', 'none', '--detach', '--', 'sleep', '6473'];
      const kept = await garuaJson<ContainerStatus>(data, 'run', ref, '--name', 'kept', ...words);
      const outcomes: (number | null)[] = [];
      for (const pages of [0, 6, 12, 18, 24, 30, 40, 60, 200]) {
        disk.fill(pages);
        const run = await garua(data, 'run', ref, '--name', 'box', ...words);
        outcomes.push(run.status);
        disk.free();
        if (run.status !== 0) assertDiskFull(run, `run with ${pages} pages left`);
        const listed = await garuaJson<ContainerStatus[]>(data, 'ps');
        const names = listed.map(({ name, state }) => `${name} ${state}`);
        assert.deepEqual(names, run.status === 0 ? ['box running', 'kept running'] : ['kept running']);
        assert.equal(listed.at(-1)!.pid, kept.pid);
        assert.equal(namesIn(join(data, 'containers')).length, listed.length);
        assert.equal(mountsBelow(disk.path).length, listed.length);
        if (run.status === 0) assert.equal((await garua(data, 'rm', '--force', 'box')).status, 0);
      }
      console.log(`    exit statuses: ${outcomes}`);
      assert.equal(outcomes[0], 1);
      assert.equal(outcomes.at(-1), 0);
      // Not one byte: what is removed now needs the reserve to be removed.
      disk.fill(0);
      const removed = await garua(data, 'rm', '--force', 'kept');
      assert.equal(removed.status, 0, removed.stderr);
      const pruned = await garua(data, 'prune');
      assert.equal(pruned.status, 0, pruned.stderr);
      assert.deepEqual(namesIn(join(data, 'layers')), ['.trash']);
      assert.deepEqual(mountsBelow(disk.path), []);
      assert.deepEqual(namesIn(join(data, 'containers')), []);
      assert.deepEqual(processesWith(disk.path), []);
    });
  });
});
