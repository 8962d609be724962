/**
 * A host of plain IPFS: js bitswap over libp2p, its blocks in files of its own. `bitswap-host.js MODULES DATA
 * ADDRESS` prints its multiaddr, then reads `{method, words}` lines and answers each with a line. Objects are cut
 * as lib/store cuts them, so that both have the same blocks; both make durable what they keep.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CID } from 'multiformats/cid';
import { TreeBuilder } from '../../../../lib/store/tree/builder';
import { objectCid } from '../../../../lib/store/tree/cid';
import { blockOrder, CHUNK_BYTES, leafBlock } from '../../../../lib/store/tree/layout';

interface Libp2p {
  logger: unknown;
  getMultiaddrs(): { toString(): string }[];
  dial(address: unknown): Promise<unknown>;
}

interface Bitswap {
  start(): Promise<void>;
  want(cid: CID): Promise<Uint8Array>;
  notify(cid: CID): Promise<void>;
}

const [modules, data, address] = process.argv.slice(2) as [string, string, string];
const load = createRequire(join(modules, 'package.json'));
/** For packages that do not let themselves be loaded by name. */
const loadFile = (path: string) => load(join(modules, 'node_modules', path));

/** A block is whole under its final name, and durable after `sync`. */
class FileBlocks {
  #unsynced: string[] = [];

  has(cid: CID): boolean {
    return existsSync(this.#path(cid));
  }

  /** As bitswap wants it. */
  async *get(cid: CID): AsyncGenerator<Uint8Array> {
    yield await this.read(cid);
  }

  read(cid: CID): Promise<Buffer> {
    return readFile(this.#path(cid));
  }

  async put(cid: CID, block: Uint8Array): Promise<void> {
    const path = this.#path(cid);
    await writeFile(`${path}.new`, block);
    await rename(`${path}.new`, path);
    this.#unsynced.push(path);
  }

  async sync(): Promise<void> {
    const paths = [...this.#unsynced.splice(0), data];
    await Promise.all(
      paths.map(async (path) => {
        const file = await open(path);
        await file.sync().finally(() => file.close());
      }),
    );
  }

  /** Others ask by the hash alone, whatever the version of the CID. */
  #path(cid: CID): string {
    return join(data, Buffer.from(cid.multihash.digest).toString('hex'));
  }
}

async function main(): Promise<void> {
  await mkdir(data, { recursive: true });
  const { createLibp2p } = load('libp2p');
  const node: Libp2p = await createLibp2p({
    addresses: { listen: [address] },
    transports: [load('@libp2p/tcp').tcp()],
    connectionEncrypters: [load('@libp2p/noise').noise()],
    streamMuxers: [load('@libp2p/yamux').yamux()],
    services: { identify: load('@libp2p/identify').identify() },
  });
  const blocks = new FileBlocks();
  const bitswap = openBitswap(node, blocks);
  await bitswap.start();

  const keep = async (cid: CID, block: Uint8Array) => {
    await blocks.put(cid, block);
    await bitswap.notify(cid);
  };
  const fetchBlock = async (cid: CID): Promise<Uint8Array> => {
    if (blocks.has(cid)) return blocks.read(cid);
    const block = await bitswap.want(cid);
    await keep(cid, block);
    return block;
  };
  const fetchTree = async (cid: CID): Promise<void> => {
    const { Links } = loadFile('@ipld/dag-pb/src/index.js').decode(await fetchBlock(cid)) as {
      Links: { Hash: CID }[];
    };
    await Promise.all(Links.map((link) => fetchTree(CID.asCID(link.Hash)!)));
  };
  const putFile = async (file: string): Promise<string> => {
    const bytes = await readFile(file);
    const tree = new TreeBuilder();
    tree.push(bytes);
    const root = objectCid(tree.finish());
    for (const item of blockOrder(tree.digests, bytes.length, 0)) {
      const block =
        'block' in item
          ? item.block
          : leafBlock(bytes.subarray(item.leaf * CHUNK_BYTES, (item.leaf + 1) * CHUNK_BYTES));
      await keep(CID.parse(objectCid(createHash('sha256').update(block).digest())), block);
    }
    return root;
  };
  const methods: Record<string, (...words: string[]) => Promise<unknown>> = {
    dial: (other) => node.dial(load('@multiformats/multiaddr').multiaddr(other)),
    put: async (...files) => {
      const cids = await Promise.all(files.map(putFile));
      await blocks.sync();
      return cids;
    },
    get: async (...cids) => {
      await Promise.all(cids.map((cid) => fetchTree(CID.parse(cid))));
      await blocks.sync();
    },
  };

  process.stdout.write(`${node.getMultiaddrs()[0]}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const { method, words } = JSON.parse(line);
    const started = performance.now();
    const result = await methods[method]!(...words);
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(`${JSON.stringify({ result: method === 'put' ? result : null, seconds })}\n`);
  }
  process.exit(0);
}

/** Without a routing: all hosts are connected, and asked. */
function openBitswap(libp2p: Libp2p, blockstore: FileBlocks): Bitswap {
  const { Bitswap } = loadFile('@helia/bitswap/dist/src/bitswap.js');
  return new Bitswap({
    libp2p,
    blockstore,
    logger: libp2p.logger,
    routing: { async *findProviders() {} },
    getHasher: () => {
      throw new Error('only SHA-256 is in use');
    },
  });
}

void main();
