import { throwIfAborted } from '../base';
import type { IncomingObject } from './nas/nas';
import type { StoreParts } from './parts';
import { bytesPassed } from './passing-memory';
import { givePiece, takePiece } from './pieces';
import type { ObjectSource, PutOptions } from './store';

/** Pieces that wait for the disk. */
const PIECES_AHEAD = 3;

/**
 * Writes an object to the NAS. When it resolves, the object is there also after a power cut; when it rejects,
 * or the process dies, nothing is there.
 */
export async function writeObject(
  { nas, journal, writer }: StoreParts,
  source: ObjectSource,
  options: PutOptions,
  beforePublish: (size: number, writer: string) => Promise<void>,
): Promise<{ cid: string; size: number }> {
  const { signal } = options;
  throwIfAborted(signal, 'the put');
  await nas.ready();
  const path = nas.paths.temporary();
  const entry = journal.begin('store-put', path, 'writing', { path });
  let incoming: IncomingObject | undefined;
  try {
    incoming = await nas.create(path);
    await copy(source, incoming, options);
    const owner = options.writer ?? writer;
    const sealing = incoming.handle.run('seal', [owner, nas.now]);
    const closing = incoming.close();
    incoming = undefined;
    const sealed = await sealing.finally(() => closing);
    throwIfAborted(signal, 'the put');
    await beforePublish(sealed.size, owner);
    await nas.publish(path, sealed.cid);
    return sealed;
  } catch (error) {
    await incoming?.close();
    const cause = await nas.explain(error);
    await nas.disk.run('remove', path).catch(() => {});
    throwIfAborted(signal, 'the put');
    throw cause;
  } finally {
    journal.end(entry);
  }
}

/** Collects the source's bytes into pieces of one size; reads on only as fast as the disk takes them. */
async function copy(source: ObjectSource, incoming: IncomingObject, options: PutOptions): Promise<void> {
  const { signal, onProgress } = options;
  const writing: Promise<void>[] = [];
  let piece = takePiece();
  let filled = 0;
  let done = 0;
  const send = async () => {
    const full = piece;
    const write = incoming.append(full.subarray(0, filled)).then(() => givePiece(full));
    write.catch(() => {});
    writing.push(write);
    done += filled;
    if (writing.length > PIECES_AHEAD) await writing.shift();
    piece = takePiece();
    filled = 0;
    throwIfAborted(signal, 'the put');
    onProgress?.({ phase: 'writing', done, total: 0, unit: 'bytes' });
  };
  try {
    for await (const chunk of source instanceof Uint8Array ? [source] : source) {
      bytesPassed(chunk.length);
      for (let at = 0; at < chunk.length; ) {
        const take = Math.min(piece.length - filled, chunk.length - at);
        piece.set(chunk.subarray(at, at + take), filled);
        filled += take;
        at += take;
        if (filled === piece.length) await send();
      }
    }
    if (filled > 0) await send();
    await Promise.all(writing);
  } finally {
    await Promise.allSettled(writing);
    givePiece(piece);
  }
}
