import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openArchive } from '../../../lib/image/archive';
import type { ImageSource } from '../../../lib/image/image';
import {
  type ArchiveReference,
  hostPlatform,
  parsePlatform,
  parseReference,
} from '../../../lib/image/reference';
import {
  dockerArchiveEntries,
  fileLayer,
  makeImage,
  makeIndex,
  sha256,
  type TestImage,
  writeDockerArchive,
  writeOciArchive,
  writeOciLayout,
} from '../../support/images';
import { tarArchive } from '../../support/tar';
import { readAll } from '../registry/support';

describe('image archive', () => {
  const small = makeImage({ config: { Cmd: ['small'] } });
  const large = makeImage({
    layers: [fileLayer({ a: Buffer.alloc(1_500_000, 'a') }), fileLayer({ 'b/c': 'c' })],
    compression: ['none', 'zstd'],
    config: { Cmd: ['large'] },
  });
  const plain = makeImage({ compression: 'none', layers: large.layerTars });
  const foreign = makeImage({ platform: parsePlatform('linux/s390x') });
  let folder: string;
  let path: string;
  let source: ImageSource | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'garua-archive-'));
    path = join(folder, 'image');
  });
  afterEach(async () => {
    await source?.close();
    source = undefined;
    rmSync(folder, { recursive: true });
  });

  const resolve = async (reference: string, platform = hostPlatform()) => {
    await source?.close();
    source = undefined;
    source = await openArchive(parseReference(reference) as ArchiveReference);
    return source.resolve(platform);
  };
  const checkLayers = async (image: TestImage) => {
    for (const layer of image.manifest.layers) {
      const bytes = image.blobs.get(layer.digest)!;
      for (const offset of [0, 7, layer.size]) {
        const read = await readAll(await source!.openBlob(layer, offset));
        assert.ok(read.equals(bytes.subarray(offset)));
      }
    }
  };

  for (const [transport, write] of [
    ['oci', writeOciLayout],
    ['oci-archive', writeOciArchive],
  ] as const) {
    describe(transport, () => {
      it('is read by tag', async () => {
        write(path, [small, large], ['v1', 'v2']);
        assert.equal((await resolve(`${transport}:${path}:v1`)).digest, small.digest);
        const image = await resolve(`${transport}:${path}:v2`);
        assert.equal(image.digest, large.digest);
        assert.deepEqual(image.manifest.layers, large.manifest.layers);
        assert.deepEqual(image.config.config, { Cmd: ['large'] });
        assert.equal(source!.origin, 'archive');
        await checkLayers(large);
      });

      it('is read without a tag when there is one image, or one called latest', async () => {
        write(path, [small]);
        assert.equal((await resolve(`${transport}:${path}`)).digest, small.digest);
        write(path, [small, large], ['v1', 'latest']);
        assert.equal((await resolve(`${transport}:${path}`)).digest, large.digest);
      });

      it('lists its tags when the right one is not clear', async () => {
        write(path, [small, large], ['v1', 'v2']);
        for (const reference of [`${transport}:${path}`, `${transport}:${path}:v3`]) {
          await assert.rejects(resolve(reference), { code: 'ERR_IMAGE_NOT_FOUND', hint: /v1, v2/ });
        }
      });

      it('is walked to the platform, in an index or in the list itself', async () => {
        write(path, [makeIndex([foreign, makeIndex([small])])], ['v1']);
        assert.equal((await resolve(`${transport}:${path}:v1`)).digest, small.digest);
        write(path, [foreign, small], ['v1', 'v1']);
        assert.equal((await resolve(`${transport}:${path}:v1`)).digest, small.digest);
        await assert.rejects(resolve(`${transport}:${path}:v1`, parsePlatform('linux/mips')), {
          code: 'ERR_IMAGE_PLATFORM_NOT_FOUND',
        });
      });

      it('answers undefined for a blob that it lacks', async () => {
        write(path, [small]);
        await resolve(`${transport}:${path}`);
        assert.equal(await source!.openBlob(large.manifest.layers[0]!, 0), undefined);
      });

      it('is refused when a document was changed', async () => {
        const config = small.manifest.config.digest;
        const changed = { ...small, blobs: new Map(small.blobs).set(config, Buffer.from('{}')) };
        write(path, [changed]);
        await assert.rejects(resolve(`${transport}:${path}`), { code: 'ERR_IMAGE_DIGEST_MISMATCH' });
        const manifests = new Map(small.manifests);
        manifests.set(small.digest, { mediaType: small.mediaType, bytes: large.bytes });
        write(path, [{ ...small, manifests }]);
        await assert.rejects(resolve(`${transport}:${path}`), { code: 'ERR_IMAGE_DIGEST_MISMATCH' });
      });

      it('is refused when a layer has another length', async () => {
        const layer = small.manifest.layers[0]!;
        for (const [bytes, code] of [
          [Buffer.alloc(layer.size + 1), 'ERR_IMAGE_BLOB_TOO_LONG'],
          [Buffer.alloc(layer.size - 1), 'ERR_IMAGE_ARCHIVE_INVALID'],
        ] as const) {
          write(path, [{ ...small, blobs: new Map(small.blobs).set(layer.digest, bytes) }]);
          await resolve(`${transport}:${path}`);
          await assert.rejects(source!.openBlob(layer, 0), { code });
        }
      });

      it('says when it is not there, or something else', async () => {
        await assert.rejects(resolve(`${transport}:${path}`), { code: 'ERR_IMAGE_NOT_FOUND' });
        if (transport === 'oci') writeFileSync(path, '');
        else mkdirSync(path);
        await assert.rejects(resolve(`${transport}:${path}`), { code: 'ERR_IMAGE_ARCHIVE_INVALID' });
      });
    });
  }

  it('of skopeo is read', async () => {
    writeOciLayout(path, [small], ['v1']);
    const skopeo = (to: string) =>
      execFileSync('skopeo', ['copy', '--quiet', '--insecure-policy', `oci:${path}:v1`, to], {
        stdio: 'pipe',
      });
    skopeo(`oci-archive:${path}.tar:v1`);
    assert.equal((await resolve(`oci-archive:${path}.tar:v1`)).digest, small.digest);
    await checkLayers(small);
    skopeo(`docker-archive:${path}.docker:user/small:1`);
    const image = await resolve(`docker-archive:${path}.docker:user/small:1`);
    assert.deepEqual(image.config.rootfs, small.config.rootfs);
    const read = await readAll(await source!.openBlob(image.manifest.layers[0]!, 0));
    assert.ok(read.equals(small.layerTars[0]!));
  });

  it('in a folder must not be a pipe', async () => {
    writeOciLayout(path, [small]);
    rmSync(join(path, 'index.json'));
    execFileSync('mkfifo', [join(path, 'index.json')]);
    await assert.rejects(resolve(`oci:${path}`), { code: 'ERR_IMAGE_ARCHIVE_INVALID' });
  });

  it('in a folder may be made of links', async () => {
    writeOciLayout(path, [small]);
    symlinkSync(path, `${path}-link`);
    assert.equal((await resolve(`oci:${path}-link`)).digest, small.digest);
  });

  describe('docker-archive', () => {
    const layersOf = (image: TestImage) =>
      image.manifest.layers.map(({ digest, size }) => ({ digest, size }));

    it('is read by name, fully written or not, by tag, or alone', async () => {
      writeDockerArchive(path, [small, plain], ['user/small:1', 'alpine:2']);
      for (const name of ['user/small:1', 'docker.io/user/small:1', '1']) {
        assert.deepEqual((await resolve(`docker-archive:${path}:${name}`)).config.config, { Cmd: ['small'] });
      }
      const image = await resolve(`docker-archive:${path}:docker.io/library/alpine:2`);
      assert.deepEqual(
        image.manifest.layers.map(({ digest, size }) => ({ digest, size })),
        layersOf(plain),
      );
      await checkLayers(plain);
      writeDockerArchive(path, [plain]);
      assert.deepEqual((await resolve(`docker-archive:${path}`)).config.rootfs, plain.config.rootfs);
    });

    it('lists its names when the right one is not clear', async () => {
      writeDockerArchive(path, [small, plain], ['a:1', 'b:1']);
      for (const tag of ['', ':1', ':c:1']) {
        await assert.rejects(resolve(`docker-archive:${path}${tag}`), {
          code: 'ERR_IMAGE_NOT_FOUND',
          hint: /a:1, b:1/,
        });
      }
    });

    it('gets digests of the stored bytes also for compressed layers', async () => {
      for (const compression of ['gzip', 'zstd', 'gzip-multi'] as const) {
        const image = makeImage({ layers: large.layerTars, compression });
        writeDockerArchive(path, [image]);
        const { manifest } = await resolve(`docker-archive:${path}`);
        assert.deepEqual(
          manifest.layers.map(({ digest, size }) => ({ digest, size })),
          layersOf(image),
        );
        const kind = compression === 'zstd' ? 'zstd' : 'gzip';
        assert.ok(manifest.layers.every(({ mediaType }) => mediaType.endsWith(`+${kind}`)));
        await checkLayers(image);
      }
    });

    it('is found to have one manifest digest however often it is read', async () => {
      writeDockerArchive(path, [small]);
      const first = await resolve(`docker-archive:${path}`);
      assert.equal((await resolve(`docker-archive:${path}`)).digest, first.digest);
      assert.equal(sha256(first.manifestBytes), first.digest);
    });

    it('may have layers that are links to others, with long names', async () => {
      const entries = dockerArchiveEntries([plain]);
      const [first, second] = plain.manifest.layers.map(({ digest }) => `${digest.slice(7)}/layer.tar`);
      const long = `${'long/'.repeat(40)}data.tar`;
      for (const format of ['pax', 'gnu'] as const) {
        const linked = entries.flatMap((entry) => {
          if (entry.name === first) {
            return [
              { ...entry, name: long, format },
              { name: first, type: 'symlink' as const, linkname: `../${long}`, format },
            ];
          }
          if (entry.name !== second) return [entry];
          return [
            { ...entry, name: './second' },
            { name: second!, type: 'hardlink' as const, linkname: 'second' },
          ];
        });
        writeFileSync(path, tarArchive(linked));
        await resolve(`docker-archive:${path}`);
        await checkLayers(plain);
      }
    });

    it('is refused when its links go round in circles', async () => {
      const entries = dockerArchiveEntries([small]).map((entry) =>
        String(entry.name).endsWith('layer.tar')
          ? { name: entry.name, type: 'symlink' as const, linkname: 'layer.tar' }
          : entry,
      );
      writeFileSync(path, tarArchive(entries));
      await assert.rejects(resolve(`docker-archive:${path}`), {
        code: 'ERR_IMAGE_ARCHIVE_INVALID',
        message: /layer\.tar is missing/,
      });
    });

    it('is refused when its configuration was changed', async () => {
      const entries = dockerArchiveEntries([small]).map((entry) =>
        String(entry.name).endsWith('.json') && entry.name !== 'manifest.json'
          ? { ...entry, content: JSON.stringify({ ...small.config, config: { User: 'root' } }) }
          : entry,
      );
      writeFileSync(path, tarArchive(entries));
      await assert.rejects(resolve(`docker-archive:${path}`), { code: 'ERR_IMAGE_DIGEST_MISMATCH' });
    });

    it('is refused with a manifest that is not valid', async () => {
      for (const content of [
        '',
        '{}',
        '[]',
        '[null]',
        '[{"Config": 1, "Layers": []}]',
        '[{"Config": "x"}]',
      ]) {
        writeFileSync(path, tarArchive([{ name: 'manifest.json', content }]));
        await assert.rejects(resolve(`docker-archive:${path}`), { code: 'ERR_IMAGE_ARCHIVE_INVALID' });
      }
    });

    it('is refused for another platform', async () => {
      writeDockerArchive(path, [foreign]);
      await assert.rejects(resolve(`docker-archive:${path}`), { code: 'ERR_IMAGE_PLATFORM_NOT_FOUND' });
    });
  });

  describe('tar file', () => {
    it('that is compressed as a whole is named as such', async () => {
      writeDockerArchive(path, [small]);
      for (const tool of ['gzip', 'xz', 'bzip2']) {
        execFileSync('sh', ['-c', `${tool} -c < "$1" > "$1.packed"`, 'sh', path]);
        await assert.rejects(resolve(`docker-archive:${path}.packed`), {
          code: 'ERR_IMAGE_ARCHIVE_COMPRESSED',
          hint: new RegExp(`${tool} -d`),
        });
      }
    });

    it('that is cut, empty or none at all is refused', async () => {
      writeDockerArchive(path, [plain]);
      truncateSync(path, 1_000_000);
      await assert.rejects(resolve(`docker-archive:${path}`), { message: /ends too early/ });
      for (const content of [
        Buffer.alloc(0),
        Buffer.alloc(10_240),
        Buffer.from('x'.repeat(2000)),
        gzipSync('x'),
      ]) {
        writeFileSync(path, content);
        await assert.rejects(resolve(`docker-archive:${path}`), { code: /^ERR_IMAGE_ARCHIVE_/ });
      }
    });

    it('may lack its end', async () => {
      writeDockerArchive(path, [small]);
      const [whole] = [tarArchive(dockerArchiveEntries([small]))];
      writeFileSync(path, whole.subarray(0, whole.length - 1024));
      assert.deepEqual((await resolve(`docker-archive:${path}`)).config.config, { Cmd: ['small'] });
    });

    it('written by GNU tar in any format is read', async () => {
      writeOciLayout(path, [large], ['v1']);
      for (const format of ['gnu', 'pax', 'ustar', 'oldgnu', 'v7']) {
        execFileSync('tar', ['--format', format, '-C', path, '-cf', `${path}.tar`, '.']);
        assert.equal((await resolve(`oci-archive:${path}.tar:v1`)).digest, large.digest);
        await checkLayers(large);
      }
    });

    it('stops when aborted', async () => {
      writeDockerArchive(path, [plain]);
      await resolve(`docker-archive:${path}`);
      const controller = new AbortController();
      const reader = (await source!.openBlob(plain.manifest.layers[0]!, 0, controller.signal))!;
      await reader.read();
      controller.abort();
      await assert.rejects(reader.read(), { code: 'ERR_ABORTED' });
    });
  });
});
