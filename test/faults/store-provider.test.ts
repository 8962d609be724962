import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Provider } from '../../lib/store';
import { TreeBuilder } from '../../lib/store/tree/builder';
import { objectCid } from '../../lib/store/tree/cid';
import { blockOrder, CHUNK_BYTES, leafBlock } from '../../lib/store/tree/layout';
import { patternBytes } from '../store/support/bytes';
import { openStore, readAll, TestSite } from '../store/support/stores';
import { Frames, sendFrame, TcpProvider } from '../store/support/wire';
import { temporaryFolder } from '../support/temporary';

type Misbehaviour = (socket: Socket, blocks: Uint8Array[]) => Promise<void>;

/** A host that says that it has everything, and sends what it likes. */
async function badHost(bytes: Buffer, misbehave: Misbehaviour): Promise<Server> {
  const tree = new TreeBuilder();
  tree.push(bytes);
  tree.finish();
  const blocks = [...blockOrder(tree.digests, bytes.length, 0)].map((item) =>
    'block' in item
      ? item.block
      : leafBlock(bytes.subarray(item.leaf * CHUNK_BYTES, (item.leaf + 1) * CHUNK_BYTES)),
  );
  const server = createServer((socket) => {
    socket.on('error', () => {});
    void (async () => {
      const call = JSON.parse((await new Frames(socket).next())!.toString());
      if (call.method === 'have') await sendFrame(socket, Buffer.from('{"result": [true]}'));
      else await misbehave(socket, blocks);
    })().catch(() => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const send = async (socket: Socket, blocks: Uint8Array[]) => {
  for (const block of blocks) await sendFrame(socket, block);
};

const MISBEHAVIOURS: Record<string, Misbehaviour> = {
  'sends another object': (socket) => send(socket, [leafBlock(patternBytes(1000, 99))]),
  'sends wrong bytes in the middle': async (socket, blocks) => {
    const wrong = Buffer.from(blocks[10]!);
    wrong[100]! ^= 1;
    await send(socket, [...blocks.slice(0, 10), wrong, ...blocks.slice(11)]);
  },
  'sends blocks in another order': (socket, blocks) =>
    send(socket, [blocks[0]!, ...blocks.slice(1).reverse()]),
  'sends short blocks': (socket, blocks) =>
    send(
      socket,
      blocks.map((block) => block.subarray(0, 1000)),
    ),
  'sends blocks that are too long': (socket) => send(socket, [Buffer.alloc(5_000_000)]),
  'ends early': async (socket, blocks) => {
    await send(socket, blocks.slice(0, 10));
    socket.write(Buffer.alloc(4));
  },
  'cuts a block': async (socket, blocks) => {
    await send(socket, blocks.slice(0, 10));
    const head = Buffer.alloc(4);
    head.writeUInt32LE(CHUNK_BYTES);
    socket.write(head);
    socket.end(Buffer.alloc(1000));
  },
  'dies in the middle': async (socket, blocks) => {
    await send(socket, blocks.slice(0, 10));
    socket.resetAndDestroy();
  },
  'sends nothing at all': () => delay(60_000, undefined, { ref: false }),
  'falls silent in the middle': async (socket, blocks) => {
    await send(socket, blocks.slice(0, 10));
    await delay(60_000, undefined, { ref: false });
  },
  'sends random bytes without end': async (socket) => {
    for (let seed = 1; !socket.destroyed; seed += 1) await sendFrame(socket, patternBytes(100_000, seed));
  },
  'sends right blocks and then more without end': async (socket, blocks) => {
    await send(socket, blocks);
    for (let seed = 1; !socket.destroyed; seed += 1) await sendFrame(socket, patternBytes(100_000, seed));
  },
};

describe('a store whose provider', () => {
  const folder = temporaryFolder();
  const bytes = patternBytes(40 * CHUNK_BYTES + 77);
  let good: TestSite;
  let cid: string;
  let runs = 0;

  before(async () => {
    good = await TestSite.open('good', { dataDirectory: folder.join('good') });
    ({ cid } = await good.store.put(bytes));
  });
  after(() => good.close());

  const fresh = (providers: Provider[]) => {
    runs += 1;
    return openStore({ dataDirectory: folder.join(`store-${runs}`), providers, limits: { blockMs: 300 } });
  };

  for (const [what, misbehave] of Object.entries(MISBEHAVIOURS)) {
    it(`${what}: fails alone, and does not matter beside another`, async () => {
      const bad = await badHost(bytes, misbehave);
      const { port } = bad.address() as { port: number };
      const provider = () => new TcpProvider('bad', port, 1);
      try {
        const alone = await fresh([provider()]);
        if (what.startsWith('sends right blocks')) {
          assert.deepEqual(await readAll(await alone.get(cid)), bytes);
        } else {
          await assert.rejects(async () => readAll(await alone.get(cid)), { code: 'ERR_STORE_FETCH_FAILED' });
          assert.deepEqual(await alone.have([cid]), [false]);
        }
        await alone.close();
        const both = await fresh([provider(), good.provider(50)]);
        assert.deepEqual(await readAll(await both.get(cid)), bytes);
        const kept = await both.get(cid);
        assert.deepEqual(await readAll(kept), bytes);
        assert.equal(kept.source, 'nas');
        await both.close();
      } finally {
        bad.close();
      }
    });
  }

  it('is on record with the locator but has gone: the next one is asked', async () => {
    const gone = createServer();
    gone.listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as { port: number };
    gone.close();
    const forgetful = await TestSite.open('forgetful', { dataDirectory: folder.join('forgetful') });
    runs += 1;
    const store = await openStore({
      dataDirectory: folder.join(`store-${runs}`),
      locator: {
        provide: async () => {},
        async *findProviders() {
          yield new TcpProvider('gone', port);
          yield forgetful.provider();
          yield good.provider();
          await delay(60_000, undefined, { ref: false });
        },
      },
    });
    const object = await store.get(cid);
    assert.deepEqual(await readAll(object), bytes);
    assert.equal(object.source, 'site:good');
    await store.close();
    await forgetful.close();
  });

  it('pushes wrong bytes: nothing of them is kept', async () => {
    const store = await fresh([]);
    const push = async function* () {
      yield leafBlock(patternBytes(500, 7));
    };
    await assert.rejects(store.accept(cid, push()), { code: 'ERR_STORE_FETCH_FAILED' });
    assert.deepEqual(await store.have([cid]), [false]);
    const tree = new TreeBuilder();
    tree.push(patternBytes(500, 7));
    const right = objectCid(tree.finish());
    await store.accept(right, push());
    assert.deepEqual(await store.have([right]), [true]);
    await store.close();
  });
});
