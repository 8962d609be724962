/** A small protocol over TCP, for stores in different processes: the mesh's place in these tests. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { NameRecord, Provider, StoreService } from '../../../lib/store';

type Call = { method: keyof StoreService; parameters: unknown[] };

const FRAME_END = 0;
const FRAME_FAILED = 0xffff_ffff;

/** Length-prefixed frames; 0 ends a stream, the largest length says that it failed. */
export class Frames {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  async next(): Promise<Buffer | undefined> {
    const length = (await this.#take(4)).readUInt32LE(0);
    if (length === FRAME_FAILED) throw new Error('the other side failed');
    return length === FRAME_END ? undefined : this.#take(length);
  }

  async #take(length: number): Promise<Buffer> {
    const parts = [this.#rest];
    let have = this.#rest.length;
    while (have < length) {
      const { value, done } = await this.#chunks.next();
      if (done) throw new Error('the connection was closed');
      parts.push(value);
      have += value.length;
    }
    const all = Buffer.concat(parts);
    this.#rest = all.subarray(length);
    return all.subarray(0, length);
  }
}

export async function sendFrame(socket: Socket, bytes: Uint8Array): Promise<void> {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes.length);
  socket.write(head);
  if (!socket.write(bytes)) {
    const over = new AbortController();
    const { signal } = over;
    await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).finally(() =>
      over.abort(),
    );
  }
  if (socket.destroyed) throw new Error('the connection was closed');
}

function sendEnd(socket: Socket, code = FRAME_END): void {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(code);
  socket.write(head);
}

/** Serves a store to the other sites. */
export async function serveStore(store: StoreService, onBlock = async () => {}): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    void answer(socket).catch(() => socket.destroy());
  });
  const answer = async (socket: Socket) => {
    const frames = new Frames(socket);
    const call = JSON.parse((await frames.next())!.toString()) as Call;
    const [first, second] = call.parameters as [string, number];
    try {
      if (call.method === 'readBlocks') {
        for await (const block of store.readBlocks(first, second)) {
          await onBlock();
          await sendFrame(socket, block);
        }
      } else if (call.method === 'accept') {
        await store.accept(first, blocksOf(frames));
        await sendFrame(socket, Buffer.from('{}'));
      } else {
        const method = store[call.method] as (...all: unknown[]) => Promise<unknown>;
        const result = await method.apply(store, call.parameters);
        await sendFrame(socket, Buffer.from(JSON.stringify({ result })));
      }
      sendEnd(socket);
    } catch {
      sendEnd(socket, FRAME_FAILED);
    }
    socket.end();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function* blocksOf(frames: Frames): AsyncGenerator<Buffer> {
  for (let block = await frames.next(); block; block = await frames.next()) yield block;
}

/** A host of another site, reached over TCP. */
export class TcpProvider implements Provider {
  /** Blocks asked for, by the leaf from which on. */
  readonly reads: number[] = [];
  calls = 0;

  constructor(
    readonly site: string,
    readonly port: number,
    readonly rttMs = 1,
    readonly id = `${site}-host`,
  ) {}

  get name(): string {
    return this.id;
  }

  async have(cids: string[], { signal }: { signal?: AbortSignal | undefined }): Promise<boolean[]> {
    return (await this.#call('have', [cids], signal)) as boolean[];
  }

  async *readBlocks(cid: string, firstLeaf: number, { signal }: { signal?: AbortSignal | undefined }) {
    this.reads.push(firstLeaf);
    const { socket, frames } = await this.#open(
      { method: 'readBlocks', parameters: [cid, firstLeaf] },
      signal,
    );
    try {
      yield* blocksOf(frames);
    } finally {
      socket.destroy();
    }
  }

  async put(
    cid: string,
    blocks: AsyncIterable<Uint8Array>,
    { signal }: { signal?: AbortSignal | undefined },
  ) {
    const { socket, frames } = await this.#open({ method: 'accept', parameters: [cid] }, signal);
    try {
      for await (const block of blocks) await sendFrame(socket, block);
      sendEnd(socket);
      await frames.next();
    } finally {
      socket.destroy();
    }
  }

  async readName(site: string, name: string, { signal }: { signal?: AbortSignal | undefined }) {
    return (await this.#call('readName', [site, name], signal)) as NameRecord[];
  }

  async putName(record: NameRecord, { signal }: { signal?: AbortSignal | undefined }): Promise<void> {
    await this.#call('acceptName', [record], signal);
  }

  /** No images in these tests. */
  async findBlob(): Promise<undefined> {}

  async #call(method: Call['method'], parameters: unknown[], signal?: AbortSignal): Promise<unknown> {
    const { socket, frames } = await this.#open({ method, parameters }, signal);
    try {
      return JSON.parse((await frames.next())!.toString()).result;
    } finally {
      socket.destroy();
    }
  }

  async #open(call: Call, signal?: AbortSignal): Promise<{ socket: Socket; frames: Frames }> {
    this.calls += 1;
    const socket = connect({ port: this.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    signal?.addEventListener('abort', () => socket.destroy(), { once: true });
    const frames = new Frames(socket);
    await sendFrame(socket, Buffer.from(JSON.stringify(call)));
    return { socket, frames };
  }
}
