import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { PullResult } from '../../lib';
import { type FaultyRegistry, startFaultyRegistry } from '../support/faulty-registry';
import { garua, garuaJson, spawnGarua } from '../support/garua';
import { fileLayer, makeImage, writeOciLayout } from '../support/images';
import { type TarEntryOptions, tarArchive } from '../support/tar';
import { temporaryFolder } from '../support/temporary';
import { treeFacts } from '../support/tree';
import { chainIdsOf, chance, finishedLayers, halfDone, killAfter, namesIn, withMerged } from './tools';

const KILLS = 25;

/** Three layers that stay long enough in each step: many files, large ones, whiteouts over them. */
function killedImage() {
  const many: Record<string, string> = {};
  for (let file = 0; file < 600; file += 1) many[`usr/share/${file % 20}/${file}`] = `${file}\n`.repeat(file);
  const base = fileLayer({ ...many, 'opt/old': 'old', 'opt/gone/a': 'a', 'lib/big': randomBytes(1_500_000) });
  const entries: TarEntryOptions[] = [
    { name: 'usr/', type: 'directory' },
    { name: 'usr/share/', type: 'directory' },
    { name: 'usr/share/3/', type: 'directory', mode: 0o750 },
    { name: 'usr/share/3/.wh..wh..opq' },
    { name: 'usr/share/3/new', content: 'new', uid: 1000, gid: 1000, mode: 0o600 },
    { name: 'usr/share/4/', type: 'directory' },
    { name: 'usr/share/4/.wh.24' },
    { name: 'opt/', type: 'directory' },
    { name: 'opt/.wh.gone' },
    { name: 'opt/link', type: 'symlink', linkname: '../lib/big' },
    { name: 'opt/second', content: randomBytes(2_000_000) },
    { name: 'opt/third', type: 'hardlink', linkname: 'opt/second' },
  ];
  const top = fileLayer({
    'opt/old': 'changed',
    'srv/data': randomBytes(1_500_000),
    ...inFolder(many, 'srv/'),
  });
  return makeImage({
    layers: [base, tarArchive(entries), top],
    compression: ['gzip', 'gzip-multi', 'zstd'],
  });
}

function inFolder(files: Record<string, string>, folder: string): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [folder + name, content]));
}

/** The root's own time is in no layer. */
function facts(root: string): ReturnType<typeof treeFacts> {
  const all = treeFacts(root);
  all['.']!.modified = 0n;
  return all;
}

describe('garua pull, killed at any moment', () => {
  const folder = temporaryFolder();
  const image = killedImage();
  const { layers } = image.manifest;
  const chainIds = chainIdsOf(image.config.rootfs.diff_ids);
  const data = folder.join('data');
  let registry: FaultyRegistry;
  let expected: ReturnType<typeof treeFacts>;

  before(async () => {
    registry = await startFaultyRegistry();
    registry.add(image, 'app', '1');
    registry.fault({
      match: { kind: 'blob' },
      action: { type: 'slow', bytesPerSecond: 3_000_000 },
      times: Number.POSITIVE_INFINITY,
    });
    const layout = folder.join('layout');
    // The same layers for umoci, which does not know zstd.
    writeOciLayout(layout, [makeImage({ layers: image.layerTars })], ['1']);
    execFileSync('umoci', ['unpack', '--image', `${layout}:1`, folder.join('bundle')], { stdio: 'pipe' });
    expected = facts(folder.join('bundle', 'rootfs'));
  });
  after(() => registry.stop());

  const keptBytes = (digest: string) => {
    const path = join(data, 'blobs', `${digest.slice(7)}.partial`);
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  };

  /** One pull, perhaps killed; no byte that is here may be asked for. Answers how many it did not ask for. */
  async function attempt(killAt: number): Promise<{ result: PullResult | undefined; resumed: number }> {
    const finished = new Set(finishedLayers(data));
    const kept = layers.map(({ digest }) => keptBytes(digest));
    const before = registry.requests.length;
    const { status, stdout, stderr } = await killAfter(
      spawnGarua(data, ['pull', `${registry.host}/app:1`, '--json']),
      killAt,
    );
    assert.ok(status === 0 || status === null, stderr);
    let resumed = 0;
    for (const [index, { digest }] of layers.entries()) {
      const first = registry.requests.slice(before).find(({ path }) => path.endsWith(digest));
      if (!first) continue;
      assert.ok(!finished.has(chainIds[index]!), `finished layer ${index} was fetched again`);
      assert.equal(first.range, kept[index]! > 0 ? `bytes=${kept[index]}-` : undefined, `layer ${index}`);
      resumed += kept[index]!;
    }
    return { result: status === 0 ? (JSON.parse(stdout) as PullResult) : undefined, resumed };
  }

  async function assertWhole(result: PullResult): Promise<void> {
    assert.deepEqual(result.chainIds, chainIds);
    assert.deepEqual(withMerged(folder.join('merged'), data, chainIds, facts), expected);
    assert.deepEqual(halfDone(data), []);
    assert.deepEqual(namesIn(join(data, 'blobs')), []);
    await garuaJson(data, 'prune');
    assert.deepEqual(namesIn(join(data, 'layers')), ['.trash']);
    assert.deepEqual(namesIn(join(data, 'images')), []);
    assert.deepEqual(halfDone(data), []);
  }

  it('never shows a part, never fetches a byte twice, and ends with the tree of umoci', async () => {
    const random = chance('kill-pull');
    let kills = 0;
    let resumed = 0;
    let whole = 0;
    for (;;) {
      const last = kills >= KILLS;
      const { result, resumed: more } = await attempt(last ? 120_000 : 100 + random() * 1900);
      resumed += more;
      const listed = await garuaJson<{ digest: string }[]>(data, 'images');
      if (!result) {
        kills += 1;
        // It may have been killed between its last commit and its answer.
        if (listed.length > 0) assert.deepEqual(new Set(finishedLayers(data)), new Set(chainIds));
        continue;
      }
      assert.deepEqual(
        listed.map(({ digest }) => digest),
        [image.digest],
      );
      await assertWhole(result);
      whole += 1;
      if (last) break;
    }
    console.log(`    ${kills} kills, ${whole} whole pulls, ${resumed} bytes resumed`);
    assert.ok(resumed > 0);
    assert.equal((await garua(data, 'images')).status, 0);
  });
});
