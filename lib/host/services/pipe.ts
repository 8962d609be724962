import type { ByteStream } from '../../mesh';

/** Bytes both ways, between hosts or within one. */
export type Pipe = Omit<ByteStream, 'peerId'>;

/** Passes on what `from` says until it ends its side, as fast as `to` takes it. */
export async function copy(from: AsyncIterable<Uint8Array>, to: Pipe): Promise<void> {
  for await (const chunk of from) await to.write(chunk);
  await to.end();
}

/**
 * Joins two pipes: each end of one side is passed on by itself, so that a half-open connection stays one, and when
 * one is broken off, the other is too.
 */
export async function join(one: Pipe, other: Pipe): Promise<void> {
  try {
    await Promise.all([copy(one.read(), other), copy(other.read(), one)]);
  } catch (error) {
    one.abort();
    other.abort();
    throw error;
  }
}
