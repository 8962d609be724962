/** Small, real images made in memory: no registry, no network, no tool. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import type { Descriptor, Digest, ImageConfig, Platform } from '../../lib/image/image';
import { type TarEntryOptions, tarArchive } from './tar';

export type TestCompression = 'gzip' | 'gzip-multi' | 'zstd' | 'none';

export interface TestImageOptions {
  /** Layer tars, bottom first. Default: one small layer with the file `hello`. */
  layers?: Buffer[];
  /** One for all layers, or one per layer. Default `gzip`; `gzip-multi` writes several gzip members. */
  compression?: TestCompression | TestCompression[];
  /** The `config` object: Cmd, Entrypoint, Env ... */
  config?: NonNullable<ImageConfig['config']>;
  /** Default: linux on this machine's architecture. */
  platform?: Platform;
  /** Media types of the OCI or of Docker's schema 2. Default `oci`. */
  format?: 'oci' | 'docker';
}

/** What a registry or a layout holds for one name: an image, or an index of images. */
export interface TestArtifact {
  mediaType: string;
  digest: Digest;
  bytes: Buffer;
  /** Configurations and layers. */
  blobs: Map<Digest, Buffer>;
  /** Every manifest, children first, this one last. */
  manifests: Map<Digest, { mediaType: string; bytes: Buffer }>;
  platform?: Platform;
}

export interface TestImage extends TestArtifact {
  manifest: { schemaVersion: 2; mediaType: string; config: Descriptor; layers: Descriptor[] };
  config: ImageConfig;
  platform: Platform;
  /** The uncompressed layers. */
  layerTars: Buffer[];
}

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker';

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** This machine, as images name it. */
export function testPlatform(): Platform {
  return { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch };
}

export function makeImage(options: TestImageOptions = {}): TestImage {
  const layerTars = options.layers ?? [fileLayer({ hello: 'hello, fog\n' })];
  const docker = options.format === 'docker';
  const platform = options.platform ?? testPlatform();
  const blobs = new Map<Digest, Buffer>();
  const describe = (mediaType: string, bytes: Buffer): Descriptor => {
    const digest = sha256(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const layers = layerTars.map((tar, index) => {
    const compression = Array.isArray(options.compression) ? options.compression[index] : options.compression;
    return describe(layerMediaType(compression ?? 'gzip', docker), compress(tar, compression ?? 'gzip'));
  });
  const config: ImageConfig = {
    ...platform,
    ...(options.config ? { config: options.config } : {}),
    rootfs: { type: 'layers', diff_ids: layerTars.map(sha256) },
  };
  const configBytes = Buffer.from(JSON.stringify(config));
  const manifest = {
    schemaVersion: 2 as const,
    mediaType: docker ? `${DOCKER}.distribution.manifest.v2+json` : `${OCI}.manifest.v1+json`,
    config: describe(docker ? `${DOCKER}.container.image.v1+json` : `${OCI}.config.v1+json`, configBytes),
    layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = sha256(bytes);
  const manifests = new Map([[digest, { mediaType: manifest.mediaType, bytes }]]);
  return {
    mediaType: manifest.mediaType,
    digest,
    bytes,
    blobs,
    manifests,
    platform,
    manifest,
    config,
    layerTars,
  };
}

/** An index over images (or over other indexes: they nest). */
export function makeIndex(
  children: TestArtifact[],
  options: { format?: 'oci' | 'docker'; extra?: Descriptor[] } = {},
): TestArtifact {
  const mediaType =
    options.format === 'docker' ? `${DOCKER}.distribution.manifest.list.v2+json` : `${OCI}.index.v1+json`;
  const manifests = children.map(({ mediaType, digest, bytes, platform }) => ({
    mediaType,
    digest,
    size: bytes.length,
    ...(platform ? { platform } : {}),
  }));
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, manifests: [...manifests, ...(options.extra ?? [])] }),
  );
  const digest = sha256(bytes);
  return {
    mediaType,
    digest,
    bytes,
    blobs: new Map(children.flatMap((child) => [...child.blobs])),
    manifests: new Map([
      ...children.flatMap((child) => [...child.manifests]),
      [digest, { mediaType, bytes }] as const,
    ]),
  };
}

/** A layer from file names and contents. Parent folders come first. */
export function fileLayer(files: Record<string, string | Uint8Array>): Buffer {
  const folders = new Set<string>();
  for (const name of Object.keys(files)) {
    const parts = name.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      folders.add(`${parts.slice(0, depth).join('/')}/`);
    }
  }
  const entries: TarEntryOptions[] = [...folders].map((name) => ({ name, type: 'directory' }));
  for (const [name, content] of Object.entries(files)) entries.push({ name, content });
  return tarArchive(entries);
}

/** A root file system that runs: Debian's static busybox with its applets, /etc/passwd and /tmp. */
export function busyboxLayer(): Buffer {
  const busybox = readFileSync('/bin/busybox');
  const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' }).trim().split('\n');
  const folder = (name: string, mode = 0o755): TarEntryOptions => ({ name, type: 'directory', mode });
  return tarArchive([
    ...['bin/', 'etc/', 'root/', 'var/'].map((name) => folder(name)),
    ...['dev/', 'proc/', 'sys/'].map((name) => folder(name)),
    folder('tmp/', 0o1777),
    { name: 'bin/busybox', mode: 0o755, content: busybox },
    ...applets
      .filter((applet) => applet !== 'busybox')
      .map((applet): TarEntryOptions => ({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' })),
    {
      name: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    },
    { name: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
  ]);
}

export function compress(tar: Buffer, compression: TestCompression): Buffer {
  if (compression === 'none') return tar;
  if (compression === 'zstd') return zstdCompressSync(tar);
  if (compression === 'gzip') return gzipSync(tar, { level: constants.Z_BEST_SPEED });
  const member = Math.max(1, Math.ceil(tar.length / 3));
  const members: Buffer[] = [];
  for (let start = 0; start < tar.length; start += member) {
    members.push(gzipSync(tar.subarray(start, start + member), { level: constants.Z_BEST_SPEED }));
  }
  return Buffer.concat(members);
}

function layerMediaType(compression: TestCompression, docker: boolean): string {
  if (docker) return `${DOCKER}.image.rootfs.diff.tar${compression.startsWith('gzip') ? '.gzip' : ''}`;
  if (compression === 'none') return `${OCI}.layer.v1.tar`;
  return `${OCI}.layer.v1.tar+${compression === 'zstd' ? 'zstd' : 'gzip'}`;
}

/** The files of an OCI image layout (image-spec, image-layout.md), by path inside it. */
export function ociLayoutFiles(artifacts: { artifact: TestArtifact; tag?: string }[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  files.set('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  const manifests = artifacts.map(({ artifact, tag }) => ({
    mediaType: artifact.mediaType,
    digest: artifact.digest,
    size: artifact.bytes.length,
    ...(artifact.platform ? { platform: artifact.platform } : {}),
    ...(tag ? { annotations: { 'org.opencontainers.image.ref.name': tag } } : {}),
  }));
  files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
  for (const { artifact } of artifacts) {
    for (const [digest, { bytes }] of artifact.manifests) files.set(blobPath(digest), bytes);
    for (const [digest, bytes] of artifact.blobs) files.set(blobPath(digest), bytes);
  }
  return files;
}

/** Writes an OCI image layout; `tags[n]` belongs to `artifacts[n]`. */
export function writeOciLayout(directory: string, artifacts: TestArtifact[], tags: string[] = []): void {
  mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
  for (const [path, bytes] of ociLayoutFiles(withTags(artifacts, tags))) {
    writeFileSync(join(directory, path), bytes);
  }
}

/** Writes the tar of an OCI image layout. */
export function writeOciArchive(file: string, artifacts: TestArtifact[], tags: string[] = []): void {
  const files = ociLayoutFiles(withTags(artifacts, tags));
  writeFileSync(file, tarArchive([...files].map(([name, content]) => ({ name, content }))));
}

/** The entries of a `docker save` archive. Layers are stored as the image has them. */
export function dockerArchiveEntries(images: TestImage[], tags: string[] = []): TarEntryOptions[] {
  const entries = new Map<string, TarEntryOptions>();
  const manifest = images.map((image, index) => {
    const configName = `${image.manifest.config.digest.slice(7)}.json`;
    entries.set(configName, {
      name: configName,
      content: image.blobs.get(image.manifest.config.digest)!,
    });
    const layers = image.manifest.layers.map(({ digest }) => {
      const name = `${digest.slice(7)}/layer.tar`;
      entries.set(name, { name, content: image.blobs.get(digest)! });
      return name;
    });
    return { Config: configName, RepoTags: tags[index] ? [tags[index]] : null, Layers: layers };
  });
  return [...entries.values(), { name: 'manifest.json', content: JSON.stringify(manifest) }];
}

/** Writes what `docker save` writes; `tags[n]` (`name:tag`) belongs to `images[n]`. */
export function writeDockerArchive(file: string, images: TestImage[], tags: string[] = []): void {
  writeFileSync(file, tarArchive(dockerArchiveEntries(images, tags)));
}

function withTags(artifacts: TestArtifact[], tags: string[]): { artifact: TestArtifact; tag?: string }[] {
  return artifacts.map((artifact, index) => ({ artifact, ...(tags[index] ? { tag: tags[index] } : {}) }));
}

function blobPath(digest: Digest): string {
  return join('blobs', ...digest.split(':'));
}
