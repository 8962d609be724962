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

  async function pull(host: string) {
    const opened = await LocalHost.open({ dataDirectory: folder.join(host), name: host, site: 'here', nas });
    try {
      const before = registry.requests.length;
      const result = await opened.pull(`${registry.host}/app:1`);
      const layers = new Set(image.manifest.layers.map(({ digest }) => digest));
      const asked = registry.requests.slice(before).filter(({ path }) => layers.has(path.split('/').at(-1)!));
      return { sources: result.layers.map(({ source }) => source), asked: asked.length };
    } finally {
      await opened.close();
    }
  }

  it('lets the second host of a site pull without a byte of a layer from the registry', async () => {
    assert.deepEqual(await pull('first'), { sources: ['registry', 'registry'], asked: 2 });
    assert.deepEqual(await pull('second'), { sources: ['nas', 'nas'], asked: 0 });
  });

  it('falls back to the registry when the blob on the NAS is damaged', async () => {
    const objects = join(nas, 'garua/objects');
    for (const shard of readdirSync(objects)) {
      for (const name of readdirSync(join(objects, shard)))
        writeFileSync(join(objects, shard, name), 'nonsense');
    }
    assert.deepEqual((await pull('third')).sources, ['registry', 'registry']);
    assert.deepEqual((await pull('fourth')).sources, ['nas', 'nas']);
  });
});
