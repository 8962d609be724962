import assert from 'node:assert/strict';
import { hostPlatform, parsePlatform } from '../../../lib/image/reference';
import { fileLayer, makeImage, makeIndex, testPlatform } from '../../support/images';
import { REGISTRY_USER, startRegistry, type TestRegistry } from '../../support/registry';
import { openSource, readAll } from './support';

describe('registry source, against a real registry', () => {
  const native = makeImage({
    layers: [fileLayer({ 'etc/name': 'native' }), fileLayer({ big: Buffer.alloc(3_000_000, 'x') })],
    compression: ['gzip', 'none'],
    config: { Cmd: ['/bin/sh'] },
  });
  const foreign = makeImage({ platform: parsePlatform('linux/s390x'), format: 'docker' });
  const index = makeIndex([foreign, makeIndex([native])], { format: 'docker' });
  let open: TestRegistry;
  let closed: TestRegistry;

  before(async () => {
    [open, closed] = await Promise.all([startRegistry(), startRegistry({ auth: true })]);
    await open.push(native, 'fog/native', '1');
    await open.push(index, 'fog/index', 'latest');
    await closed.push(native, 'private', '1');
  });
  after(() => Promise.all([open?.stop(), closed?.stop()]));

  it('resolves a tag and a digest to verified documents', async () => {
    for (const reference of [
      'fog/native:1',
      `fog/native@${native.digest}`,
      `fog/native:9@${native.digest}`,
    ]) {
      const source = openSource(`${open.host}/${reference}`);
      const image = await source.resolve(hostPlatform());
      assert.equal(image.digest, native.digest);
      assert.deepEqual(image.manifest.layers, native.manifest.layers);
      assert.deepEqual(image.config.config, { Cmd: ['/bin/sh'] });
      assert.deepEqual(Buffer.from(image.manifestBytes), native.bytes);
      assert.deepEqual(Buffer.from(image.configBytes), native.blobs.get(native.manifest.config.digest));
      await source.close();
    }
  });

  it('walks nested indexes to the platform', async () => {
    const source = openSource(`${open.host}/fog/index`);
    assert.equal((await source.resolve(testPlatform())).digest, native.digest);
    assert.equal((await source.resolve(parsePlatform('linux/s390x'))).digest, foreign.digest);
    await source.close();
  });

  it('refuses an image for another platform', async () => {
    const source = openSource(`${open.host}/fog/native:1`);
    await assert.rejects(source.resolve(parsePlatform('linux/ppc64le')), {
      code: 'ERR_IMAGE_PLATFORM_NOT_FOUND',
    });
    await source.close();
  });

  it('reads blobs from any offset', async () => {
    const source = openSource(`${open.host}/fog/native:1`);
    for (const layer of native.manifest.layers) {
      const bytes = native.blobs.get(layer.digest)!;
      for (const offset of [0, 1, layer.size - 1, layer.size]) {
        const read = await readAll(await source.openBlob(layer, offset));
        assert.ok(read.equals(bytes.subarray(offset)), `${layer.mediaType} from ${offset}`);
      }
    }
    await source.close();
  });

  it('says what is not there', async () => {
    const missing = openSource(`${open.host}/fog/native:2`);
    await assert.rejects(missing.resolve(hostPlatform()), {
      code: 'ERR_IMAGE_NOT_FOUND',
      message: /no such tag/,
      hint: /name and the tag/,
    });
    const digest = `sha256:${'0'.repeat(64)}`;
    assert.equal(await missing.openBlob({ mediaType: 'x', digest, size: 1 }, 0), undefined);
    await missing.close();
    const nowhere = openSource(`${open.host}/nobody/nothing`);
    await assert.rejects(nowhere.resolve(hostPlatform()), { code: 'ERR_IMAGE_NOT_FOUND' });
    await nowhere.close();
  });

  it('logs in', async () => {
    const source = openSource(`${closed.host}/private:1`, { credentials: REGISTRY_USER });
    const image = await source.resolve(hostPlatform());
    assert.equal(image.digest, native.digest);
    await readAll(await source.openBlob(image.manifest.layers[0]!, 0));
    await source.close();
  });

  it('is refused without the right password, which is not repeated', async () => {
    const anonymous = openSource(`${closed.host}/private:1`);
    await assert.rejects(anonymous.resolve(hostPlatform()), {
      code: 'ERR_REGISTRY_UNAUTHORIZED',
      message: /anonymous/,
    });
    await anonymous.close();
    const wrong = openSource(`${closed.host}/private:1`, {
      credentials: { username: 'maker', password: 'hunter2' },
    });
    await assert.rejects(wrong.resolve(hostPlatform()), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'ERR_REGISTRY_UNAUTHORIZED');
      assert.match(error.message, /the user maker/);
      assert.ok(!`${error.message}${error.hint}`.includes('hunter2'));
      return true;
    });
    await wrong.close();
  });
});
