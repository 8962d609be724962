import { open } from 'node:fs/promises';
import type { BlobReader, BlobSink, BlobSource, Descriptor } from '../../image';
import type { ObjectStore } from '../object-store';
import type { FoundBlob, ObjectSource } from '../store';
import { rawCid } from '../tree/cid';

const READ_BYTES = 1 << 20;

/** Whose quota the blobs of images count against. */
const WRITER = 'images';

/**
 * The site's NAS as a cache of image blobs: what one host of the site has pulled, the others do not fetch.
 * A blob is an object like all others; its raw CID, which is its OCI digest, is an alias on the NAS.
 */
export class SiteBlobs implements BlobSource, BlobSink {
  readonly origin = 'nas';

  constructor(private readonly store: () => Promise<ObjectStore>) {}

  async openBlob({ digest, size }: Descriptor, offset: number): Promise<BlobReader | undefined> {
    const cid = await this.#cidOf(digest);
    if (cid === undefined) return undefined;
    const object = await (await this.store()).get(cid);
    if (object.size !== size || object.networkCalls > 0) {
      await object.close();
      return undefined;
    }
    return new ObjectBlobReader(object[Symbol.asyncIterator](), offset);
  }

  /** A blob of at most so many bytes whose size is not known. */
  async openSmall(digest: string, limit: number): Promise<{ size: number; reader: BlobReader } | undefined> {
    const cid = await this.#cidOf(digest);
    if (cid === undefined) return undefined;
    const object = await (await this.store()).get(cid);
    if (object.size > limit || object.networkCalls > 0) {
      await object.close();
      return undefined;
    }
    return { size: object.size, reader: new ObjectBlobReader(object[Symbol.asyncIterator](), 0) };
  }

  /** For hosts of other sites. */
  async find(digest: string): Promise<FoundBlob | undefined> {
    const cid = await this.#cidOf(digest);
    const footer = cid && (await (await this.store()).parts.nas.footer(cid));
    return footer ? { cid: cid!, size: footer.size } : undefined;
  }

  keep({ digest }: Descriptor, file: string): Promise<void> {
    return this.keepBytes(digest, readFile(file));
  }

  async keepBytes(digest: string, bytes: ObjectSource): Promise<void> {
    const store = await this.store();
    const { nas, tasks, locator } = store.parts;
    const alias = aliasOf(digest);
    await nas.ready();
    const known = await nas.disk.run('readSmall', nas.paths.alias(alias));
    if (known !== undefined && (await nas.has(known))) return;
    const { cid } = await store.put(bytes, { writer: WRITER });
    await nas.writeSmall(nas.paths.alias(alias), cid);
    if (locator) tasks.add('announce', alias);
  }

  /** What a reference with a tag meant when a host of the site resolved it the last time. */
  async lastDigest(ref: string): Promise<string | undefined> {
    const { nas } = (await this.store()).parts;
    await nas.ready();
    const text = await nas.disk.run('readSmall', nas.paths.tag(ref));
    const known = text === undefined ? undefined : (JSON.parse(text) as { ref: string; digest: string });
    return known?.ref === ref ? known.digest : undefined;
  }

  async rememberDigest(ref: string, digest: string): Promise<void> {
    const { nas } = (await this.store()).parts;
    await nas.writeSmall(nas.paths.tag(ref), JSON.stringify({ ref, digest }));
  }

  /** The object that holds the blob, if it is on the NAS. */
  async #cidOf(digest: string): Promise<string | undefined> {
    const { nas } = (await this.store()).parts;
    await nas.ready();
    const cid = await nas.disk.run('readSmall', nas.paths.alias(aliasOf(digest)));
    return cid !== undefined && (await nas.has(cid)) ? cid : undefined;
  }
}

function aliasOf(digest: string): string {
  return rawCid(Buffer.from(digest.slice('sha256:'.length), 'hex'));
}

async function* readFile(path: string): AsyncIterable<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(READ_BYTES));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

class ObjectBlobReader implements BlobReader {
  constructor(
    private readonly chunks: AsyncIterator<Uint8Array>,
    private skip: number,
  ) {}

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const next = await this.chunks.next();
      if (next.done) return undefined;
      const rest = next.value.subarray(this.skip);
      this.skip -= next.value.length - rest.length;
      if (rest.length > 0) return rest;
    }
  }

  close(): void {
    void this.chunks.return?.()?.catch(() => {});
  }
}
