import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalHost } from '../../lib/host';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry';
import { makeImage } from '../support/images';
import { tarArchive } from '../support/tar';
import { temporaryFolder } from '../support/temporary';
import { patternBytes } from './support/bytes';

describe("the site's NAS as a cache of image blobs", () => {
  const folder = temporaryFolder();
  const nas = folder.join('nas');
  const image = makeImage({
    layers: [1, 2].map((seed) =>
      tarArchive([{ name: `file-${seed}`, content: patternBytes(700_000, seed) }]),
    ),
  });
  let registry: FaultyRegistry;

  before(async () => {
    mkdirSync(nas);
    registry = await startFaultyRegistry();
    registry.add(image, 'app', '1');
  });
  after(() => registry.stop());

  /** What a pull of the site's next host took, and what the registry was asked for. */
  async function pull(host: string, reference = ':1') {
    const opened = await LocalHost.open({ dataDirectory: folder.join(host), name: host, site: 'here', nas });
    try {
      const before = registry.requests.length;
      const result = await opened.pull(`${registry.host}/app${reference}`, { insecure: true });
      const asked = registry.requests.slice(before);
      assert.equal(result.registryRequests, asked.length);
      return {
        sources: [result.manifestSource, ...result.layers.map(({ source }) => source)],
        asked: asked.map(({ kind, method }) => `${method} ${kind}`),
        warnings: result.warnings,
      };
    } finally {
      await opened.close();
    }
  }

  it('lets the second host of a site pull without a byte from the registry', async () => {
    const first = await pull('first');
    assert.deepEqual(first.sources, ['registry', 'registry', 'registry']);
    assert.deepEqual(first.asked, ['GET manifest', 'GET blob', 'GET blob', 'GET blob']);
    const near = { sources: ['nas', 'nas', 'nas'], warnings: [] };
    assert.deepEqual(await pull('second'), { ...near, asked: ['HEAD manifest'] });
    assert.deepEqual(await pull('by-digest', `@${image.digest}`), { ...near, asked: [] });
  });

  it('falls back to the registry when the blob on the NAS is damaged', async () => {
    const objects = join(nas, 'garua/objects');
    for (const shard of readdirSync(objects)) {
      for (const name of readdirSync(join(objects, shard)))
        writeFileSync(join(objects, shard, name), 'nonsense');
    }
    assert.deepEqual((await pull('third')).sources, ['registry', 'registry', 'registry']);
    assert.deepEqual((await pull('fourth')).sources, ['nas', 'nas', 'nas']);
  });

  it('takes a tag for what it meant last while the registry is away, and says so', async () => {
    const refused = { type: 'status', status: 500 } as const;
    registry.fault({ action: refused, match: { method: 'HEAD' } });
    await assert.rejects(pull('refused'), /500/);
    const { host } = registry;
    await registry.stop();
    const opened = await LocalHost.open({
      dataDirectory: folder.join('cut-off'),
      name: 'cut-off',
      site: 'here',
      nas,
    });
    try {
      const result = await opened.pull(`${host}/app:1`, { insecure: true });
      assert.equal(result.manifestSource, 'nas');
      assert.match(result.warnings.join(), new RegExp(`pulled last, ${image.digest}`));
      await assert.rejects(opened.pull(`${host}/app:2`, { insecure: true }), {
        code: 'ERR_REGISTRY_UNREACHABLE',
      });
    } finally {
      await opened.close();
    }
  });
});
