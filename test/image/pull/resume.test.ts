import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry';
import { busyboxLayer, fileLayer, makeImage, writeOciLayout } from '../../support/images';
import { temporaryFolder } from '../../support/temporary';
import { ConnectionLostError, MemorySource } from './memory-source';
import { type OpenStore, openStore } from './open-store';

const image = makeImage({ layers: [fileLayer({ big: randomBytes(2_000_000), small: 'x' })] });
const [layer] = image.manifest.layers;
const blob = image.blobs.get(layer!.digest)!;

describe('a pull that is disturbed', () => {
  const folder = temporaryFolder();
  let registry: FaultyRegistry;
  let store: OpenStore;
  let number = 0;

  beforeEach(async () => {
    registry = await startFaultyRegistry();
    registry.add(image, 'app', '1');
    number += 1;
    store = await openStore(folder.join(`data${number}`));
  });
  afterEach(async () => {
    await store.close();
    await registry.stop();
  });

  /** Where the compressed bytes of the layer are kept meanwhile. */
  const kept = () => store.directory.join('blobs', `${layer!.digest.slice(7)}.partial`);
  const pull = () => store.images.pull(`${registry.host}/app:1`);

  function content(chainIds: string[]): Buffer {
    return readFileSync(join(store.images.mounts(chainIds)[0]!.path, 'big'));
  }

  it('goes on where connections broke, and fetches no byte twice', async () => {
    const match = { kind: 'blob', digest: layer!.digest } as const;
    registry.fault({ match, action: { type: 'reset', after: 300_000 } });
    registry.fault({ match, action: { type: 'reset', after: 500_000 } });
    const result = await pull();
    const offsets = registry
      .requestsOf('blob')
      .filter(({ path }) => path.includes(layer!.digest))
      .map(({ range }) => Number(/^bytes=(\d+)-/.exec(range ?? 'bytes=0-')![1]));
    assert.equal(offsets.length, 3);
    assert.ok(0 < offsets[1]! && offsets[1]! < offsets[2]!, `${offsets}`);
    assert.equal(result.bytesDownloaded, blob.length);
    assert.ok(content(result.chainIds).equals(image.layerTars[0]!.subarray(512, 512 + 2_000_000)));
  });

  it('goes on after a registry that ignores ranges', async () => {
    registry.fault({ match: { digest: layer!.digest }, action: { type: 'reset', after: 700_000 } });
    registry.fault({ match: { digest: layer!.digest }, action: { type: 'ignore-range' } });
    assert.equal((await pull()).layers[0]!.bytes, blob.length);
  });

  it('refuses a part of the blob that was not asked for', async () => {
    registry.fault({ match: { digest: layer!.digest }, action: { type: 'reset', after: 700_000 } });
    registry.fault({
      match: { digest: layer!.digest },
      action: { type: 'wrong-range', shift: 10 },
      times: Number.POSITIVE_INFINITY,
    });
    await assert.rejects(pull(), { code: 'ERR_REGISTRY_PROTOCOL' });
    assert.deepEqual(store.images.images(), []);
  });

  it('continues after the end of the process with what is on disk', async () => {
    writeFileSync(kept(), blob.subarray(0, 1_234_567));
    const result = await pull();
    assert.equal(result.layers[0]!.resumed, 1_234_567);
    assert.equal(result.bytesDownloaded, blob.length - 1_234_567);
    const request = registry.requestsOf('blob').find(({ path }) => path.includes(layer!.digest));
    assert.match(request!.range ?? '', /^bytes=1234567-/);
    assert.ok(content(result.chainIds).length > 0);
    assert.deepEqual(store.names('blobs'), []);
  });

  it('asks for nothing when all of the blob is on disk', async () => {
    writeFileSync(kept(), blob);
    const result = await pull();
    assert.equal(result.bytesDownloaded, 0);
    assert.equal(result.layers[0]!.resumed, blob.length);
    assert.ok(!registry.requestsOf('blob').some(({ path }) => path.includes(layer!.digest)));
  });

  it('starts over when the bytes on disk turn out to be damaged', async () => {
    const damaged = Buffer.from(blob.subarray(0, 1_000_000));
    damaged.fill(0, 999_000);
    const tooLong = Buffer.concat([blob, blob]);
    for (const [index, bytes] of [damaged, tooLong, Buffer.from('no gzip at all')].entries()) {
      writeFileSync(kept(), bytes);
      const result = await pull();
      assert.equal(result.layers[0]!.resumed, 0);
      assert.ok(content(result.chainIds).length > 0);
      assert.deepEqual(store.names('blobs'), [], `case ${index}`);
      await store.images.prune({ keep: [] });
    }
  });

  it('keeps what came before it was given up', async () => {
    registry.fault({ match: { digest: layer!.digest }, action: { type: 'reset', after: 800_000 } });
    registry.fault({
      match: { digest: layer!.digest },
      action: { type: 'status', status: 503 },
      times: Number.POSITIVE_INFINITY,
    });
    await assert.rejects(pull(), { code: 'ERR_IMAGE_DOWNLOAD_FAILED' });
    assert.deepEqual(store.names('layers'), ['.trash']);
    const size = statSync(kept()).size;
    assert.ok(size > 0 && size <= 800_000, `${size} bytes`);
    registry.clearFaults();
    const result = await pull();
    assert.equal(result.layers[0]!.resumed, size);
    assert.equal(result.bytesDownloaded, blob.length - size);
  });

  it('tries again with patience while bytes arrive, and names the cause when none do', async () => {
    const source = new MemorySource(image);
    source.pieceSize = 100_000;
    let failures = 0;
    let lost = true;
    source.beforePiece = (piece) => {
      lost = !lost;
      if (!lost) return piece;
      failures += 1;
      throw new ConnectionLostError(1);
    };
    const patient = await openStore(folder.join('patient'), { images: { 'library/a': source } });
    await patient.images.pull('a');
    assert.ok(failures > 15, `${failures} failures survived`);
    await patient.images.prune({ keep: [] });
    source.opened.length = 0;
    source.beforePiece = () => {
      throw new ConnectionLostError();
    };
    await assert.rejects(patient.images.pull('a'), (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_IMAGE_DOWNLOAD_FAILED');
      assert.match(error.message, /connection lost/);
      assert.ok(error.cause instanceof ConnectionLostError);
      return true;
    });
    assert.equal(source.opened.length, 5);
    await patient.close();
  });
});

describe('a pull that is killed', () => {
  const folder = temporaryFolder();
  const killed = makeImage({
    layers: [busyboxLayer(), fileLayer({ 'opt/big': randomBytes(3_000_000), 'opt/text': 'a\n'.repeat(1e6) })],
  });

  it('goes on from what it had, and the tree is the one that umoci unpacks', async () => {
    const layout = folder.join('layout');
    writeOciLayout(layout, [killed], ['1']);
    execFileSync('umoci', ['unpack', '--image', `${layout}:1`, folder.join('bundle')], { stdio: 'pipe' });
    const registry = await startFaultyRegistry();
    registry.add(killed, 'app', '1');
    registry.fault({
      match: { kind: 'blob' },
      action: { type: 'slow', bytesPerSecond: 4_000_000 },
      times: Number.POSITIVE_INFINITY,
    });
    const ref = `${registry.host}/app:1`;
    const data = folder.join('killed');
    for (let round = 0; round < 4; round += 1) {
      const child = startPull(data, ref);
      await Promise.race([
        sleep(150 + Math.random() * 500),
        new Promise((ready) => child.once('exit', ready)),
      ]);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) {
        await new Promise((ended) => child.once('exit', ended));
      }
    }
    registry.clearFaults();
    const before = registry.blobBytesSent;
    const store = await openStore(data);
    const kept = store
      .names('blobs')
      .reduce((sum, name) => sum + statSync(join(data, 'blobs', name)).size, 0);
    const result = await store.images.pull(ref);
    const resumed = result.layers.reduce((sum, { resumed }) => sum + resumed, 0);
    assert.equal(resumed, kept);
    const config = killed.manifest.config.size;
    assert.equal(registry.blobBytesSent - before, result.bytesDownloaded + config);
    const [base, top] = store.images.mounts(result.chainIds);
    const merged = folder.join('merged');
    execFileSync('cp', ['-a', `${base!.path}/.`, merged]);
    execFileSync('cp', ['-a', `${top!.path}/.`, merged]);
    assert.equal(listing(merged), listing(folder.join('bundle', 'rootfs')));
    execFileSync('diff', ['-r', '--no-dereference', merged, folder.join('bundle', 'rootfs')]);
    assert.deepEqual(store.names('blobs'), []);
    await store.close();
    await registry.stop();
  });
});

/** Modes, owners, times and types of all that is in a folder. */
function listing(path: string): string {
  const format = '%P %y %m %U %G %T@ %l\\n';
  const lines = execFileSync('find', [path, '-mindepth', '1', '-printf', format], { encoding: 'utf8' });
  return lines.split('\n').sort().join('\n');
}

function startPull(data: string, ref: string): ChildProcess {
  const program = `
    const { openStore } = require(${JSON.stringify(join(__dirname, 'open-store.js'))});
    openStore(${JSON.stringify(data)}).then(({ images }) => images.pull(${JSON.stringify(ref)}));`;
  return spawn(process.execPath, ['-e', program], { stdio: 'inherit' });
}
