import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layer } from './layer';

const TAG = 'org.opencontainers.image.ref.name';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

interface IndexEntry {
  mediaType: string;
  digest: string;
  size: number;
  annotations: Record<string, string>;
}

/** An image as the cases see it. */
export interface BenchImage {
  name: string;
  digest: string;
  config: string;
  layers: Layer[];
}

/** A folder in OCI image layout that holds several tagged images and is kept between runs. */
export class Layout {
  constructor(readonly path: string) {
    mkdirSync(join(path, 'blobs', 'sha256'), { recursive: true });
    this.#writeJson('oci-layout', { imageLayoutVersion: '1.0.0' });
  }

  find(name: string): BenchImage | undefined {
    const entry = this.#index().find(({ annotations }) => annotations[TAG] === name);
    if (!entry) return undefined;
    const manifest = this.#blob(entry.digest);
    const config = this.#blob(manifest.config.digest);
    return {
      name,
      digest: entry.digest,
      config: manifest.config.digest,
      layers: manifest.layers.map(
        (layer: { digest: string; size: number; annotations: { unpacked: string } }, index: number) => ({
          digest: layer.digest,
          size: layer.size,
          diffId: config.rootfs.diff_ids[index],
          unpacked: Number(layer.annotations.unpacked),
        }),
      ),
    };
  }

  add(name: string, layers: Layer[]): BenchImage {
    const config = this.#writeBlob({
      created: '2023-11-14T22:13:20Z',
      os: 'linux',
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      config: { Cmd: ['/bin/sleep', 'infinity'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    });
    const manifest = this.#writeBlob({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, ...config },
      layers: layers.map(({ digest, size, unpacked }) => ({
        mediaType: LAYER,
        digest,
        size,
        annotations: { unpacked: String(unpacked) },
      })),
    });
    const others = this.#index().filter(({ annotations }) => annotations[TAG] !== name);
    const entry = { mediaType: MANIFEST, ...manifest, annotations: { [TAG]: name } };
    this.#writeJson('index.json', { schemaVersion: 2, manifests: [...others, entry] });
    return { name, digest: manifest.digest, config: config.digest, layers };
  }

  #index(): IndexEntry[] {
    const file = join(this.path, 'index.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).manifests : [];
  }

  #blob(digest: string) {
    return JSON.parse(readFileSync(join(this.path, 'blobs', ...digest.split(':')), 'utf8'));
  }

  #writeBlob(document: object): { digest: string; size: number } {
    const bytes = Buffer.from(JSON.stringify(document));
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(this.path, 'blobs', 'sha256', hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  }

  #writeJson(name: string, document: object): void {
    const file = join(this.path, name);
    writeFileSync(`${file}.tmp`, JSON.stringify(document));
    renameSync(`${file}.tmp`, file);
  }
}
