import assert from 'node:assert/strict';
import type { Stream } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { loadLibraries } from '../../../lib/mesh/node/libraries';
import { MAXIMUM_UNTAKEN, MessageChannel } from '../../../lib/mesh/rpc/message-channel';
import { type Request, type Response, RPC_PROTOCOL } from '../../../lib/mesh/rpc/messages';
import { RpcServer } from '../../../lib/mesh/rpc/rpc-server';
import { eventually } from '../support/mesh-process';

const ANSWER = 128 << 10;
const CALLS = 600;

async function openNode() {
  const { createLibp2p, tcp, noise, yamux } = await loadLibraries();
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  });
}

describe('a host that answers calls', () => {
  let asking: Awaited<ReturnType<typeof openNode>>;
  let answering: Awaited<ReturnType<typeof openNode>>;

  before(async () => {
    asking = await openNode();
    answering = await openNode();
  });
  after(() => Promise.all([asking.stop(), answering.stop()]));

  it('keeps few answers for one that does not read them, and goes on once it does', async () => {
    const server = new RpcServer();
    let begun = 0;
    server.serve('big', async () => {
      begun += 1;
      return 'x'.repeat(ANSWER);
    });
    let far: Stream | undefined;
    await answering.handle(RPC_PROTOCOL, (stream, connection) => {
      far = stream;
      server.accept(stream, connection);
    });
    const stream = await asking.dialProtocol(answering.getMultiaddrs(), RPC_PROTOCOL);
    const answered = new Map<number, Response>();
    const channel = new MessageChannel<Response, Request>(
      stream,
      (response) => answered.set(response.id, response),
      () => {},
    );
    stream.pause();
    for (let id = 1; id <= CALLS; id += 1) channel.send({ id, call: 'big', timeoutMs: 60_000 }, 'a call');
    await eventually(async () => (far?.writeBufferLength ?? 0) > ANSWER, true);
    let before: number;
    do {
      before = begun;
      await new Promise((resolve) => setTimeout(resolve, 500));
    } while (begun !== before);
    assert.ok(begun < CALLS, `${begun} calls were begun`);
    const waiting = far!.writeBufferLength;
    assert.ok(waiting <= MAXIMUM_UNTAKEN + (1 << 20), `${waiting} bytes wait`);

    stream.resume();
    await eventually(async () => answered.size, CALLS, 30_000);
    const errors = [...answered.values()].flatMap((answer) => ('error' in answer ? [answer.error.code] : []));
    assert.deepEqual([...new Set(errors)].join(), errors.length > 0 ? 'ERR_MESH_BUSY' : '');
    assert.ok(errors.length < CALLS);
    stream.abort(new Error('done'));
    await answering.unhandle(RPC_PROTOCOL);
  });

  it('hears no more of one that uses the number of a call under way again', async () => {
    const server = new RpcServer();
    let begun = 0;
    server.serve('endless', async () => {
      begun += 1;
      await new Promise(() => {});
    });
    await answering.handle(RPC_PROTOCOL, (stream, connection) => server.accept(stream, connection));
    const stream = await asking.dialProtocol(answering.getMultiaddrs(), RPC_PROTOCOL);
    let closed = false;
    const channel = new MessageChannel<Response, Request>(
      stream,
      () => {},
      () => {
        closed = true;
      },
    );
    for (let at = 0; at < CALLS; at += 1) {
      channel.send({ id: 1, call: 'endless', timeoutMs: 60_000 }, 'a call');
    }
    await eventually(async () => closed, true);
    assert.equal(begun, 1);
    await answering.unhandle(RPC_PROTOCOL);
  });
});
