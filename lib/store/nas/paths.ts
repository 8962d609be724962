import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Where things are on a NAS, all under its folder `garua`. */
export class NasPaths {
  readonly root: string;
  readonly marker: string;
  readonly objects: string;
  /** Objects being written; on the same file system, so that a rename puts them in place. */
  readonly incoming: string;
  /** Objects that are on their way out; see `evict/evictor.ts`. */
  readonly evicting: string;
  readonly quarantine: string;
  readonly pins: string;
  /** Raw CIDs of image blobs and the objects that hold them. */
  readonly aliases: string;
  readonly names: string;
  /** What the tags of images meant when they were last looked up, under the hash of the reference. */
  readonly tags: string;

  constructor(folder: string) {
    this.root = join(folder, 'garua');
    this.marker = join(this.root, 'site.json');
    this.objects = join(this.root, 'objects');
    this.incoming = join(this.root, 'incoming');
    this.evicting = join(this.root, 'evicting');
    this.quarantine = join(this.root, 'quarantine');
    this.pins = join(this.root, 'pins');
    this.aliases = join(this.root, 'aliases');
    this.names = join(this.root, 'names');
    this.tags = join(this.root, 'tags');
  }

  get folders(): string[] {
    const { objects, incoming, evicting, quarantine, pins, aliases, names, tags } = this;
    return [objects, incoming, evicting, quarantine, pins, aliases, names, tags];
  }

  /** Where objects go, each under its CID. */
  get objectFolders(): string[] {
    return [...LETTERS].map((letter) => join(this.objects, letter));
  }

  object(cid: string): string {
    return join(this.objects, shard(cid), cid);
  }

  alias(cid: string): string {
    return join(this.aliases, shard(cid), cid);
  }

  tag(ref: string): string {
    return join(this.tags, createHash('sha256').update(ref).digest('hex'));
  }

  pin(cid: string): string {
    return join(this.pins, cid);
  }

  /** A name that no other process, also of another host, uses. */
  temporary(): string {
    return join(this.incoming, `${uniqueName()}.tmp`);
  }
}

/** The characters of base32 in lower case (RFC 4648). */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * Spreads the files over 32 folders by the character before the last, which holds fewer bits. So few can be made when
 * the store is: a put then has no new folder to make durable.
 */
function shard(cid: string): string {
  return cid.slice(-2, -1);
}

export function uniqueName(): string {
  return `${hostname()}-${process.pid}-${randomBytes(8).toString('hex')}`;
}
