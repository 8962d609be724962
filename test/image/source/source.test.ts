import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPlatform } from '../../../lib/image/reference';
import { openImageSource, type SourceOptions } from '../../../lib/image/source';
import { type FaultyRegistry, startFaultyRegistry } from '../../support/faulty-registry';
import { makeImage, writeOciLayout } from '../../support/images';
import { freePort } from '../../support/registry';
import { readAll } from '../registry/support';

describe('image source', () => {
  const image = makeImage();
  const layer = image.manifest.layers[0]!;
  let folder: string;
  let upstream: FaultyRegistry;
  let mirror: FaultyRegistry;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'garua-source-'));
    upstream = await startFaultyRegistry({ auth: 'basic', accounts: { maker: 'up' } });
    mirror = await startFaultyRegistry({ auth: 'basic', accounts: { maker: 'mirror' } });
    upstream.add(image, 'a/b');
    mirror.add(image, 'a/b');
  });
  afterEach(async () => {
    await Promise.all([upstream.stop(), mirror.stop()]);
    rmSync(folder, { recursive: true });
  });

  const settle = (registries: object, credentials: object = {}) => {
    writeFileSync(join(folder, 'registries.json'), JSON.stringify(registries));
    writeFileSync(join(folder, 'credentials.json'), JSON.stringify(credentials), { mode: 0o600 });
  };
  const account = (password: string) => ({ username: 'maker', password });
  const pull = async (options: SourceOptions = {}) => {
    const source = await openImageSource(`${upstream.host}/a/b`, {
      dataDirectory: folder,
      dockerConfig: null,
      timeouts: { idleMs: 300 },
      ...options,
    });
    try {
      const { digest } = await source.resolve(hostPlatform());
      assert.equal(digest, image.digest);
      return await readAll(await source.openBlob(layer, 0));
    } finally {
      await source.close();
    }
  };

  it('reads credentials and mirrors from the data directory', async () => {
    settle({}, { [upstream.host]: account('up') });
    assert.ok((await pull()).equals(image.blobs.get(layer.digest)!));
  });

  it('asks the mirror first, with its own credentials', async () => {
    settle(
      { mirrors: { [upstream.host]: [`http://${mirror.host}`] } },
      { [upstream.host]: account('up'), [mirror.host]: account('mirror') },
    );
    await pull();
    assert.equal(upstream.requests.length, 0);
    assert.equal(mirror.requestsOf('blob').length, 2);
  });

  it('never sends the credentials of the registry to its mirror', async () => {
    settle({ mirrors: { [upstream.host]: [`http://${mirror.host}`] } });
    await pull({ credentials: account('up') });
    assert.ok(upstream.requests.length > 0);
    assert.ok(mirror.requests.length > 0);
    for (const { headers } of mirror.requests) assert.equal(headers.authorization, undefined);
  });

  const mirrorFailures = [
    { type: 'status', status: 404 },
    { type: 'status', status: 503 },
    { type: 'hang-before-headers' },
    { type: 'corrupt', at: 20 },
    { type: 'reset', after: 10 },
  ] as const;
  for (const action of mirrorFailures) {
    it(`goes on to the registry when the mirror's answer is ${JSON.stringify(action)}`, async () => {
      settle(
        { mirrors: { [upstream.host]: [`http://${mirror.host}`] } },
        { [upstream.host]: account('up'), [mirror.host]: account('mirror') },
      );
      mirror.fault({ match: { kind: 'manifest' }, action, times: Infinity });
      await pull();
      assert.equal(upstream.requestsOf('manifest').at(-1)!.status, 200);
    });
  }

  it('goes on to the registry for a blob that the mirror lacks', async () => {
    settle(
      { mirrors: { [upstream.host]: [`http://127.0.0.1:${await freePort()}`, `http://${mirror.host}`] } },
      { [upstream.host]: account('up'), [mirror.host]: account('mirror') },
    );
    mirror.fault({
      match: { digest: layer.digest },
      action: { type: 'status', status: 404 },
      times: Infinity,
    });
    await pull();
    assert.equal(mirror.requestsOf('manifest').at(-1)!.status, 200);
    assert.equal(upstream.requestsOf('blob').at(-1)!.status, 200);
  });

  it('reports what the registry said, not the mirror', async () => {
    settle({ mirrors: { [upstream.host]: [`http://127.0.0.1:${await freePort()}`] } });
    await assert.rejects(pull({ credentials: account('wrong') }), { code: 'ERR_REGISTRY_UNAUTHORIZED' });
  });

  it('notices manifests that are not what was asked for', async () => {
    upstream.fault({ match: { kind: 'manifest' }, action: { type: 'corrupt', at: 20 }, times: Infinity });
    await assert.rejects(pull({ credentials: account('up') }), { code: 'ERR_IMAGE_DIGEST_MISMATCH' });
    upstream.clearFaults();
    upstream.fault({ match: { kind: 'blob' }, action: { type: 'corrupt', at: 20 }, times: Infinity });
    await assert.rejects(pull({ credentials: account('up') }), { code: 'ERR_IMAGE_DIGEST_MISMATCH' });
  });

  it('does not read a manifest or configuration without end', async () => {
    upstream.fault({ match: { kind: 'manifest' }, action: { type: 'endless' }, times: Infinity });
    await assert.rejects(pull({ credentials: account('up') }), { code: 'ERR_IMAGE_MANIFEST_TOO_LARGE' });
    upstream.clearFaults();
    upstream.fault({ match: { kind: 'blob' }, action: { type: 'endless' }, times: Infinity });
    await assert.rejects(pull({ credentials: account('up') }), { code: 'ERR_IMAGE_MANIFEST_TOO_LARGE' });
  });

  it('gives up on a manifest that trickles', async () => {
    upstream.fault({
      match: { kind: 'manifest' },
      action: { type: 'slow', bytesPerSecond: 40 },
      times: Infinity,
    });
    await assert.rejects(pull({ credentials: account('up') }), { code: 'ERR_REGISTRY_TIMEOUT' });
  });

  it('ends when aborted', async () => {
    upstream.fault({ match: { kind: 'manifest' }, action: { type: 'hang', after: 10 }, times: Infinity });
    const source = await openImageSource(`${upstream.host}/a/b`, {
      credentials: account('up'),
      dockerConfig: null,
    });
    const controller = new AbortController();
    const resolving = source.resolve(hostPlatform(), controller.signal);
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(resolving, { code: 'ERR_ABORTED' });
    await source.close();
  });

  it('opens archives too, and refuses what is no reference', async () => {
    writeOciLayout(join(folder, 'layout'), [image], ['v1']);
    const source = await openImageSource(`oci:${folder}/layout:v1`);
    assert.equal((await source.resolve(hostPlatform())).digest, image.digest);
    await source.close();
    await assert.rejects(openImageSource('No Such Thing'), { code: 'ERR_IMAGE_REFERENCE_INVALID' });
  });
});
