import { type Database, migrate } from '../../base';
import type { Digest, ImageConfig, ImageManifest, Platform, StoredImage } from '../image';

const SCHEMA = [
  `CREATE TABLE layers (
     chainId TEXT PRIMARY KEY, diffId TEXT NOT NULL, digest TEXT NOT NULL, format TEXT NOT NULL,
     compressed INTEGER NOT NULL, unpacked INTEGER NOT NULL, createdAt INTEGER NOT NULL);
   CREATE TABLE images (
     ref TEXT PRIMARY KEY, digest TEXT NOT NULL, platform TEXT NOT NULL, config TEXT NOT NULL,
     manifest TEXT NOT NULL, chainIds TEXT NOT NULL, pulledAt INTEGER NOT NULL);
   CREATE INDEX imagesByDigest ON images (digest);`,
];

/** What the store knows about a layer; also the content of the JSON file beside it. */
export interface LayerRecord {
  chainId: Digest;
  diffId: Digest;
  /** Digest of the blob it came from. */
  digest: Digest;
  format: 'directory';
  /** Bytes of the blob. */
  compressed: number;
  /** Bytes of the tar. */
  unpacked: number;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** What is kept of an image; also the content of its JSON file. */
export interface ImageRecord {
  ref: string;
  digest: Digest;
  platform: Platform;
  config: ImageConfig;
  manifest: ImageManifest;
  chainIds: Digest[];
  pulledAt: number;
}

/** The SQLite index over the layers and images on disk. */
export class ImageIndex {
  constructor(private readonly database: Database) {
    migrate(database, 'image', SCHEMA);
  }

  layer(chainId: Digest): LayerRecord | undefined {
    return this.database.prepare('SELECT * FROM layers WHERE chainId = ?').get(chainId) as
      | LayerRecord
      | undefined;
  }

  layers(): LayerRecord[] {
    return this.database.prepare('SELECT * FROM layers').all() as LayerRecord[];
  }

  putLayer(record: LayerRecord): void {
    this.database
      .prepare(
        `INSERT OR REPLACE INTO layers
         VALUES (@chainId, @diffId, @digest, @format, @compressed, @unpacked, @createdAt)`,
      )
      .run(record);
  }

  deleteLayer(chainId: Digest): void {
    this.database.prepare('DELETE FROM layers WHERE chainId = ?').run(chainId);
  }

  image(ref: string): ImageRecord | undefined {
    const row = this.database.prepare('SELECT * FROM images WHERE ref = ?').get(ref);
    return row ? toRecord(row as Row) : undefined;
  }

  images(): ImageRecord[] {
    return (this.database.prepare('SELECT * FROM images ORDER BY ref').all() as Row[]).map(toRecord);
  }

  /** Images whose manifest digest starts with `prefix`, newest first. */
  imagesByDigest(prefix: string): ImageRecord[] {
    const rows = this.database
      .prepare('SELECT * FROM images WHERE substr(digest, 1, ?) = ? ORDER BY pulledAt DESC')
      .all(prefix.length, prefix);
    return (rows as Row[]).map(toRecord);
  }

  putImage(record: ImageRecord): void {
    const { platform, config, manifest, chainIds } = record;
    this.database
      .prepare(
        `INSERT OR REPLACE INTO images
         VALUES (@ref, @digest, @platform, @config, @manifest, @chainIds, @pulledAt)`,
      )
      .run({
        ...record,
        platform: JSON.stringify(platform),
        config: JSON.stringify(config),
        manifest: JSON.stringify(manifest),
        chainIds: JSON.stringify(chainIds),
      });
  }

  deleteImage(ref: string): void {
    this.database.prepare('DELETE FROM images WHERE ref = ?').run(ref);
  }

  /** Forgets images and layers together. */
  forget(refs: string[], chainIds: Digest[]): void {
    this.database.transaction(() => {
      for (const ref of refs) this.deleteImage(ref);
      for (const chainId of chainIds) this.deleteLayer(chainId);
    })();
  }

  toStoredImage(record: ImageRecord): StoredImage {
    const { ref, digest, platform, config, chainIds, pulledAt } = record;
    let size = 0;
    for (const chainId of chainIds) size += this.layer(chainId)?.unpacked ?? 0;
    return { ref, digest, platform, config, chainIds, size, pulledAt };
  }
}

type Row = Omit<ImageRecord, 'platform' | 'config' | 'manifest' | 'chainIds'> & {
  platform: string;
  config: string;
  manifest: string;
  chainIds: string;
};

function toRecord(row: Row): ImageRecord {
  return {
    ...row,
    platform: JSON.parse(row.platform),
    config: JSON.parse(row.config),
    manifest: JSON.parse(row.manifest),
    chainIds: JSON.parse(row.chainIds),
  };
}
