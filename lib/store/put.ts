import { throwIfAborted } from '../base';
import type { DiskHandle } from './disk/disk';
import type { StoreParts } from './parts';
import { bytesPassed } from './passing-memory';
import { givePiece, takePiece } from './pieces';
import type { ObjectSource, PutOptions } from './store';

/** Jobs that wait for the disk. */
const JOBS_AHEAD = 3;

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
  try {
    const owner = options.writer ?? writer;
    const sealed = await writeTemporary(nas.disk.handle(), path, source, options, () => [owner, nas.now]);
    throwIfAborted(signal, 'the put');
    await beforePublish(sealed.size, owner);
    await nas.publish(path, sealed.cid);
    return sealed;
  } catch (error) {
    const cause = await nas.explain(error);
    await nas.disk.run('remove', path).catch(() => {});
    throwIfAborted(signal, 'the put');
    throw cause;
  } finally {
    journal.end(entry);
  }
}

/**
 * Writes the file and makes it durable. The disk thread is given its jobs ahead and does them in their order; of those
 * that fail, the first says why.
 */
async function writeTemporary(
  handle: DiskHandle,
  path: string,
  source: ObjectSource,
  options: PutOptions,
  footer: () => [writer: string, createdAt: number],
): Promise<{ cid: string; size: number }> {
  const jobs: Promise<unknown>[] = [caught(handle.run('createObject', [path]))];
  try {
    await copy(source, handle, jobs, options);
    const sealed = handle.run('seal', footer());
    await Promise.all([...jobs, sealed]);
    return await sealed;
  } finally {
    await Promise.allSettled(jobs);
    await handle.close();
  }
}

/** Collects the source's bytes into pieces of one size; reads on only as fast as the disk takes them. */
async function copy(
  source: ObjectSource,
  handle: DiskHandle,
  jobs: Promise<unknown>[],
  options: PutOptions,
): Promise<void> {
  const { signal, onProgress } = options;
  let piece = takePiece();
  let filled = 0;
  let done = 0;
  const send = async () => {
    const full = piece;
    jobs.push(caught(handle.run('append', [full.subarray(0, filled)]).then(() => givePiece(full))));
    done += filled;
    piece = takePiece();
    filled = 0;
    if (jobs.length > JOBS_AHEAD) await jobs.shift();
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
  } finally {
    givePiece(piece);
  }
}

/** Marks a rejection as handled; it is looked at in its turn. */
function caught<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}
