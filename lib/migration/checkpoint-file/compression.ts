import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { FORMAT_LINE } from './checkpoint-file';
import { CheckpointFileDamagedError } from './errors';

/** Memory compresses well even at the fastest level, which is as fast as a disk. */
const LEVEL = 1;
const CHUNK_BYTES = 256 << 10;

/** The bytes of a checkpoint file. */
export async function* compress(frames: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(FORMAT_LINE);
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  yield* through(frames, createZstdCompress({ params, chunkSize: CHUNK_BYTES }));
}

/** The frames' bytes. @throws {CheckpointFileDamagedError} */
export async function* decompress(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* through(afterFormatLine(file), createZstdDecompress({ chunkSize: CHUNK_BYTES }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ZSTD_') && code !== 'Z_BUF_ERROR') throw error;
    throw new CheckpointFileDamagedError(code === 'Z_BUF_ERROR' ? 'its end is missing' : 'it is damaged', {
      cause: error,
    });
  }
}

async function* through(bytes: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
  const source = Readable.from(bytes, { objectMode: false });
  // Its errors come out of the transform.
  pipeline(source, transform, () => {});
  try {
    yield* transform as AsyncIterable<Uint8Array>;
  } finally {
    transform.destroy();
  }
}

async function* afterFormatLine(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of file) {
    if (start === undefined) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < FORMAT_LINE.length) continue;
    if (start.toString('latin1', 0, FORMAT_LINE.length) !== FORMAT_LINE) {
      throw new CheckpointFileDamagedError('it is no checkpoint of this version of Garua');
    }
    yield start.subarray(FORMAT_LINE.length);
    start = undefined;
  }
  if (start !== undefined) throw new CheckpointFileDamagedError('it is no checkpoint, or its end is missing');
}
