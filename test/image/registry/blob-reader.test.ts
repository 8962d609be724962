import assert from 'node:assert/strict';
import { type FaultyRegistry, type Misbehaviour, startFaultyRegistry } from '../../support/faulty-registry';
import { fileLayer, makeImage } from '../../support/images';
import { openSource, readAll, readBlob } from './support';

describe('blob reader', () => {
  const image = makeImage({
    layers: [fileLayer({ data: Buffer.alloc(400_000, 'data') })],
    compression: 'none',
  });
  const layer = image.manifest.layers[0]!;
  const bytes = image.blobs.get(layer.digest)!;
  let registry: FaultyRegistry;
  before(async () => {
    registry = await startFaultyRegistry();
    registry.add(image, 'a/b');
  });
  beforeEach(() => {
    registry.clearFaults();
    registry.requests.length = 0;
  });
  after(() => registry.stop());

  const open = (timeouts = {}) =>
    openSource(`${registry.host}/a/b`, { timeouts: { idleMs: 2000, ...timeouts } });
  const misbehave = (action: Misbehaviour, times = Number.POSITIVE_INFINITY) =>
    registry.fault({ match: { path: '/blobs/' }, action, times });

  it('asks for the rest only, and gets it', async () => {
    assert.ok((await readBlob(open(), layer, 1000)).equals(bytes.subarray(1000)));
    const [request] = registry.requestsOf('blob');
    assert.equal(request!.range, 'bytes=1000-');
    assert.equal(request!.bytesSent, bytes.length - 1000);
    assert.equal(request!.headers['accept-encoding'], 'identity');
  });

  it('leaves out the beginning when the server ignores the range', async () => {
    misbehave({ type: 'ignore-range' });
    for (const offset of [1, 70_000, layer.size - 1]) {
      assert.ok((await readBlob(open(), layer, offset)).equals(bytes.subarray(offset)));
    }
  });

  it('asks nothing at the end', async () => {
    assert.equal((await readBlob(open(), layer, layer.size)).length, 0);
    assert.equal(registry.requests.length, 0);
  });

  const failures: [name: string, action: Misbehaviour, offset: number, code: string, temporary?: boolean][] =
    [
      ['another part', { type: 'wrong-range', shift: -1 }, 1000, 'ERR_REGISTRY_PROTOCOL', false],
      ['a later part', { type: 'wrong-range', shift: 1 }, 1000, 'ERR_REGISTRY_PROTOCOL', false],
      [
        'a part without saying which',
        { type: 'headers', headers: { 'content-range': 'x' } },
        9,
        'ERR_REGISTRY_PROTOCOL',
        false,
      ],
      ['too few bytes', { type: 'short', bytes: 5000 }, 0, 'ERR_IMAGE_BLOB_TOO_SHORT', true],
      ['bytes without end', { type: 'endless' }, 0, 'ERR_IMAGE_BLOB_TOO_LONG'],
      [
        'a longer length',
        { type: 'lying-length', contentLength: layer.size + 1 },
        0,
        'ERR_IMAGE_BLOB_TOO_LONG',
      ],
      ['a shorter length', { type: 'lying-length', contentLength: 10 }, 0, 'ERR_IMAGE_BLOB_TOO_SHORT', true],
      ['compression nobody asked for', { type: 'gzip' }, 0, 'ERR_REGISTRY_PROTOCOL', false],
      ['status 500', { type: 'status', status: 500 }, 0, 'ERR_REGISTRY_UNAVAILABLE', true],
      ['status 408', { type: 'status', status: 408 }, 0, 'ERR_REGISTRY_UNAVAILABLE', true],
      ['status 403', { type: 'status', status: 403 }, 0, 'ERR_REGISTRY_UNAUTHORIZED', false],
      ['status 416', { type: 'status', status: 416 }, 10, 'ERR_REGISTRY_PROTOCOL', false],
      ['status 204', { type: 'status', status: 204 }, 0, 'ERR_REGISTRY_PROTOCOL', false],
      ['a cut connection', { type: 'reset', after: 100_000 }, 0, 'ERR_REGISTRY_UNREACHABLE', true],
      ['a connection cut at once', { type: 'reset', after: 0 }, 0, 'ERR_REGISTRY_UNREACHABLE', true],
    ];
  for (const [name, action, offset, code, temporary] of failures) {
    it(`fails clearly on ${name}`, async () => {
      misbehave(action);
      await assert.rejects(readBlob(open(), layer, offset), (error: Error & Record<string, unknown>) => {
        assert.equal(error.code, code, error.message);
        assert.equal(error.temporary, temporary);
        return true;
      });
    });
  }

  it('passes on when to come back', async () => {
    misbehave({ type: 'status', status: 429, headers: { 'retry-after': '7' } });
    await assert.rejects(readBlob(open(), layer), {
      code: 'ERR_REGISTRY_RATE_LIMIT',
      temporary: true,
      retryAfterMs: 7000,
    });
  });

  it('takes a label "gzip" on a blob that is complete as it is', async () => {
    misbehave({ type: 'headers', headers: { 'content-encoding': 'gzip' } });
    assert.ok((await readBlob(open(), layer)).equals(bytes));
  });

  it('delivers what came before the connection was cut', async () => {
    misbehave({ type: 'reset', after: 200_000 });
    const source = open();
    const reader = (await source.openBlob(layer, 0))!;
    let received = 0;
    const readOn = async () => {
      for (let piece = await reader.read(); piece; piece = await reader.read()) received += piece.length;
    };
    await assert.rejects(readOn(), { code: 'ERR_REGISTRY_UNREACHABLE' });
    assert.equal(received, 200_000);
    await source.close();
  });

  it('gives up on a server that stops sending, before and after the headers', async () => {
    for (const action of [{ type: 'hang-before-headers' }, { type: 'hang', after: 1000 }] as const) {
      registry.clearFaults();
      misbehave(action);
      await assert.rejects(readBlob(open({ idleMs: 200 }), layer), {
        code: 'ERR_REGISTRY_TIMEOUT',
        temporary: true,
      });
    }
  });

  it('does not time out while its own reader is slow', async () => {
    const source = open({ idleMs: 50 });
    const reader = (await source.openBlob(layer, 0))!;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.ok((await readAll(reader)).equals(bytes));
    await source.close();
  });

  it('holds the server back while nobody reads', async () => {
    const big = makeImage({ layers: [Buffer.alloc(64 << 20)], compression: 'none' });
    registry.add(big, 'big');
    const source = openSource(`${registry.host}/big`);
    const reader = (await source.openBlob(big.manifest.layers[0]!, 0))!;
    const sent = () => registry.requestsOf('blob')[0]!.bytesSent;
    let before = -1;
    // Until nothing moves any more: what was sent then lies in the buffers of both ends.
    while (before !== sent()) {
      before = sent();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(before < 32 << 20, `${before} bytes were sent to a reader that reads nothing`);
    assert.equal((await readAll(reader)).length, 64 << 20);
    await source.close();
  });

  it('can be closed early, and aborted', async () => {
    misbehave({ type: 'hang', after: 1000 });
    const source = open();
    const reader = (await source.openBlob(layer, 0))!;
    const pending = readAll(reader);
    reader.close();
    await assert.rejects(pending, { code: 'ERR_ABORTED' });
    reader.close();
    const controller = new AbortController();
    const aborted = readAll(await source.openBlob(layer, 0, controller.signal));
    controller.abort();
    await assert.rejects(aborted, { code: 'ERR_ABORTED' });
    await assert.rejects(source.openBlob(layer, 0, controller.signal), { code: 'ERR_ABORTED' });
    await source.close();
  });

  it('can be aborted while the server does not answer', async () => {
    misbehave({ type: 'hang-before-headers' });
    const source = open({ idleMs: 60_000 });
    const controller = new AbortController();
    const opening = source.openBlob(layer, 0, controller.signal);
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(opening, { code: 'ERR_ABORTED' });
    await source.close();
  });
});
