import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStatus } from '../../lib';
import { startFaultyRegistry } from '../support/faulty-registry';
import { garua, garuaJson, spawnGarua } from '../support/garua';
import { busyboxLayer, fileLayer, makeImage, sha256 } from '../support/images';
import { temporaryFolder } from '../support/temporary';
import { finishedLayers, halfDone, mountsBelow, namesIn } from './tools';

describe('many processes on one data directory', () => {
  const folder = temporaryFolder();
  const shared = fileLayer({ 'opt/shared': randomBytes(3_000_000) });
  const [first, second] = ['first', 'second'].map((name) =>
    makeImage({ layers: [shared, busyboxLayer(), fileLayer({ [name]: randomBytes(200_000) })] }),
  );
  const sharedBlob = first!.manifest.layers[0]!;

  /** The owners of the data directory so far, in order. */
  const owners = (data: string) =>
    readFileSync(join(data, 'garua.lock'), 'utf8').trim().split('\n').map(Number);

  for (const kill of [false, true]) {
    it(`all get an answer ${kill ? 'when the owner is killed meanwhile' : 'and share one download'}`, async () => {
      const data = folder.join(`data-${kill}`);
      const registry = await startFaultyRegistry();
      try {
        registry.add(first!, 'first');
        registry.add(second!, 'second');
        const slow = { type: 'slow', bytesPerSecond: 1_500_000 } as const;
        registry.fault({ match: { kind: 'blob' }, action: slow, times: Number.POSITIVE_INFINITY });
        const [one, two] = [`${registry.host}/first`, `${registry.host}/second`];
        const words = [
          ['pull', one],
          ['pull', two],
          ['run', one, '--name', 'box', '--net', 'none', '--detach', '--', '/bin/sleep', '600'],
          ['pull', one],
          ['pull', two],
          ['run', two, '--name', 'once', '--net', 'none', '--', '/bin/echo', 'hello'],
        ];
        const processes = words.map((each) => spawnGarua(data, each));
        let victim: number | undefined;
        if (kill) {
          while (registry.blobBytesSent < 1_000_000) await delay(20);
          victim = owners(data).at(-1)!;
          process.kill(victim, 'SIGKILL');
        }
        const results = await Promise.all(processes.map(({ result }) => result));
        const alive = results.filter((_, index) => processes[index]!.child.pid !== victim);
        for (const { status, stderr } of alive) {
          if (status !== 0) assert.match(stderr, /^error ERR_[A-Z_]+: .+\nhint: .+\n$/s);
          if (!kill) assert.equal(status, 0, stderr);
        }
        assert.equal(alive.length, kill ? 5 : 6);
        assert.ok(
          alive.filter(({ status }) => status === 0).length >= alive.length - 1,
          JSON.stringify(alive),
        );
        const fetches = registry.requests.filter(({ path }) => path.endsWith(sharedBlob.digest));
        const lives = owners(data).length;
        assert.ok(fetches.length <= lives, `${fetches.length} fetches by ${lives} owners`);
        if (kill) assert.ok(fetches.length >= 2);
        const bytes = fetches.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
        // What was on its way to the one that was killed comes again, and no more than that.
        assert.ok(bytes <= sharedBlob.size + (kill ? 2_000_000 : 0), `${bytes} bytes of ${sharedBlob.size}`);

        // Whoever was killed did not finish its work; everybody else's is there.
        for (const ref of [one, two]) await garuaJson(data, 'pull', ref);
        await garuaJson(
          data,
          'run',
          one,
          '--name',
          'box',
          '--net',
          'none',
          '--detach',
          '--',
          '/bin/sleep',
          '600',
        );
        const images = await garuaJson<{ digest: string }[]>(data, 'images');
        assert.deepEqual(
          new Set(images.map(({ digest }) => digest)),
          new Set([first!.digest, second!.digest]),
        );
        assert.equal(finishedLayers(data).length, 4);
        assert.ok(finishedLayers(data).includes(sha256(shared)));
        assert.deepEqual([halfDone(data), namesIn(join(data, 'blobs'))], [[], []]);
        const containers = await garuaJson<ContainerStatus[]>(data, 'ps');
        assert.ok(containers.some(({ name, state }) => name === 'box' && state === 'running'));
        for (const { name } of containers) {
          assert.equal((await garua(data, 'rm', '--force', name)).status, 0);
        }
        assert.deepEqual(mountsBelow(data), []);
      } finally {
        await registry.stop();
      }
    });
  }
});
