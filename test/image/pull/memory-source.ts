import type {
  BlobReader,
  Descriptor,
  Digest,
  ImageSource,
  LayerOrigin,
  ResolvedImage,
} from '../../../lib/image/image';
import type { TestImage } from '../../support/images';

/** A download that stopped in the middle. */
export class ConnectionLostError extends Error {
  readonly temporary = true;
  constructor(readonly retryAfterMs?: number) {
    super('connection lost');
  }
}

/** Serves one image's blobs from memory, and tells what was asked for. */
export class MemorySource implements ImageSource {
  readonly opened: { digest: Digest; offset: number }[] = [];
  closed = 0;
  /** Bytes per read. */
  pieceSize = 10_000;
  /** Called before each piece: may wait, throw, or change it. */
  beforePiece: (piece: Buffer, digest: Digest, offset: number) => Promise<Buffer> | Buffer = (piece) => piece;
  readonly blobs: Map<Digest, Buffer>;

  constructor(
    readonly image: TestImage,
    readonly origin: LayerOrigin = 'archive',
  ) {
    this.blobs = new Map(image.blobs);
  }

  async resolve(): Promise<ResolvedImage> {
    const { digest, manifest, config, bytes } = this.image;
    return { digest, manifest, config, platforms: [], manifestBytes: bytes, configBytes: bytes };
  }

  async openBlob({ digest }: Descriptor, offset: number): Promise<BlobReader | undefined> {
    const blob = this.blobs.get(digest);
    if (!blob) return undefined;
    this.opened.push({ digest, offset });
    let position = offset;
    return {
      read: async () => {
        const piece = blob.subarray(position, position + this.pieceSize);
        if (piece.length === 0) return undefined;
        const start = position;
        position += piece.length;
        return this.beforePiece(piece, digest, start);
      },
      close: () => {},
    };
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}
