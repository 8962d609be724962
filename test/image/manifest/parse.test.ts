import assert from 'node:assert/strict';
import { parseConfig, parseManifest } from '../../../lib/image/manifest';
import { makeImage, makeIndex } from '../../support/images';

function parse(document: unknown) {
  return parseManifest('the manifest', Buffer.from(JSON.stringify(document)));
}

describe('manifest', () => {
  const image = makeImage();
  const { manifest } = image;

  it('is read in OCI and Docker form', () => {
    for (const format of ['oci', 'docker'] as const) {
      for (const compression of ['gzip', 'none'] as const) {
        const made = makeImage({ format, compression });
        const parsed = parseManifest('x', made.bytes);
        assert.deepEqual(parsed, {
          kind: 'manifest',
          manifest: { config: made.manifest.config, layers: made.manifest.layers },
        });
        const index = parseManifest('x', makeIndex([made], { format }).bytes);
        assert.equal(index.kind, 'index');
        assert.equal(index.kind === 'index' && index.descriptors[0]?.digest, made.digest);
      }
    }
  });

  it('may leave its own media type out, as old OCI builders do', () => {
    const { mediaType, ...rest } = manifest;
    assert.equal(parse(rest).kind, 'manifest');
  });

  const digest = image.digest;
  const layer = manifest.layers[0]!;
  const invalid: [name: string, document: unknown][] = [
    ['a list', []],
    ['nothing', null],
    ['no schema version', { ...manifest, schemaVersion: undefined }],
    ['neither layers nor manifests', { schemaVersion: 2 }],
    ['layers and manifests at once', { ...manifest, manifests: [] }],
    ['no config', { ...manifest, config: undefined }],
    ['layers that are no list', { ...manifest, layers: {} }],
    ['a layer that is null', { ...manifest, layers: [null] }],
    ['a digest that climbs', { ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc/passwd' }] }],
    ['a negative size', { ...manifest, layers: [{ ...layer, size: -1 }] }],
    ['a size that is no integer', { ...manifest, layers: [{ ...layer, size: 1.5 }] }],
    ['a size that is text', { ...manifest, layers: [{ ...layer, size: '5' }] }],
    ['a size beyond all disks', { ...manifest, layers: [{ ...layer, size: 2 ** 60 }] }],
    ['an index entry without digest', { schemaVersion: 2, manifests: [{ mediaType: 'x', size: 1 }] }],
  ];
  for (const [name, document] of invalid) {
    it(`is refused with ${name}`, () => {
      assert.throws(() => parse(document), { code: 'ERR_IMAGE_MANIFEST_INVALID' });
    });
  }

  it('is refused when it is not JSON', () => {
    assert.throws(() => parseManifest('x', Buffer.from('<html>')), { code: 'ERR_IMAGE_MANIFEST_INVALID' });
  });

  const unsupported: [name: string, document: unknown, reason: RegExp][] = [
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, /schema 1/],
    [
      'a chart',
      { ...manifest, config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest, size: 1 } },
      /helm/,
    ],
    [
      'an encrypted layer',
      { ...manifest, layers: [{ ...layer, mediaType: `${layer.mediaType}+encrypted` }] },
      /encrypted/,
    ],
  ];
  for (const [name, document, reason] of unsupported) {
    it(`of ${name} is refused by name`, () => {
      assert.throws(() => parse(document), { code: 'ERR_IMAGE_MANIFEST_UNSUPPORTED', message: reason });
    });
  }
});

describe('image configuration', () => {
  const { config } = makeImage({ config: { Cmd: ['sh'], Env: ['A=1'], User: '1000' } });

  function parseWith(changes: object, layers = 1) {
    return parseConfig('the configuration', Buffer.from(JSON.stringify({ ...config, ...changes })), layers);
  }

  it('is read', () => {
    assert.deepEqual(parseWith({}).config, config.config);
    assert.deepEqual(parseWith({}).rootfs, config.rootfs);
    assert.equal(parseWith({ config: null }).config, null);
    assert.deepEqual(parseWith({ rootfs: undefined }, 0).rootfs.diff_ids, []);
  });

  const invalid: [name: string, changes: object, layers?: number][] = [
    ['fewer layers than the manifest', {}, 2],
    ['more layers than the manifest', {}, 0],
    ['a diffID that is no digest', { rootfs: { type: 'layers', diff_ids: ['x'] } }],
    ['a command that is text', { config: { Cmd: 'sh' } }],
    ['an environment with numbers', { config: { Env: [1] } }],
    ['a user that is a number', { config: { User: 0 } }],
    ['an architecture that is a list', { architecture: [] }],
  ];
  for (const [name, changes, layers] of invalid) {
    it(`is refused with ${name}`, () => {
      assert.throws(() => parseWith(changes, layers ?? 1), { code: 'ERR_IMAGE_MANIFEST_INVALID' });
    });
  }
});
