import { InvalidArgumentError } from '../../base';
import { type ByteStream, type CallContext, encodeFrame, type Mesh } from '../../mesh';
import type { SiteBlobs, StoreService } from '../../store';
import type { PeerGate } from '../peers';
import { unframe } from './block-frames';
import type { StoreCalls, StoreStreams } from './mesh-provider';

/** CIDs in one question. */
const MOST_CIDS = 1_000;

/** What is served to the other hosts of the fog. */
export interface Served {
  store(): Promise<StoreService>;
  blobs(): Promise<SiteBlobs>;
}

/** Lets the other hosts of the fog ask for objects, as far as this host's policy allows it. */
export function serveStore(mesh: Mesh, gate: PeerGate, here: Served): void {
  const calls: { [N in keyof StoreCalls]: (argument: StoreCalls[N]) => Promise<unknown> } = {
    'store.have': async ({ cids }) => {
      if (!Array.isArray(cids) || cids.length > MOST_CIDS) throw new InvalidArgumentError('too many CIDs');
      return (await here.store()).have(cids.map(String));
    },
    'store.find-blob': async ({ digest }) => (await (await here.blobs()).find(String(digest))) ?? null,
    'store.read-name': async ({ site, name }) => (await here.store()).readName(String(site), String(name)),
    'store.put-name': async ({ record }) => (await here.store()).acceptName(record),
  };
  for (const [name, answer] of Object.entries(calls)) {
    mesh.serve(name, async (argument: never, { peerId }: CallContext) => {
      await gate.check('objects', peerId);
      return answer(argument);
    });
  }
  const streams: {
    [N in keyof StoreStreams]: (
      header: StoreStreams[N],
      stream: ByteStream,
      signal: AbortSignal,
    ) => Promise<void>;
  } = {
    'store.blocks': async ({ cid, firstLeaf }, stream, signal) => {
      const blocks = (await here.store()).readBlocks(String(cid), Number(firstLeaf) || 0, { signal });
      for await (const block of blocks) await stream.write(encodeFrame(block));
    },
    'store.copy': async ({ cid }, stream, signal) => {
      await (await here.store()).accept(String(cid), withoutEnd(unframe(stream.read())), { signal });
      await stream.write(encodeFrame(new Uint8Array(0)));
    },
  };
  for (const [name, answer] of Object.entries(streams)) {
    mesh.serveStream(name, async (header: never, stream, { peerId, signal }) => {
      await gate.check('objects', peerId);
      await answer(header, stream, signal);
    });
  }
}

/** Who leaves the loop over these does not break off the stream under them: it still takes the answer. */
function withoutEnd<T>(items: AsyncGenerator<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => ({ next: () => items.next() }) };
}
