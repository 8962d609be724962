import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ConnectionEncrypter } from '@libp2p/interface' with { 'resolution-mode': 'import' };
import { type Doorkeeper, MembershipEncrypter } from '../../lib/mesh/handshake/membership-encrypter';
import { loadLibraries } from '../../lib/mesh/node/libraries';
import { temporaryFolder } from '../support/temporary';
import { MeshProcess } from './support/mesh-process';

const PROTOCOLS = [
  '/garua/kad/1.0.0',
  '/garua/id/1.0.0',
  '/garua/id/push/1.0.0',
  '/garua/ping/1.0.0',
  '/garua/rpc/1',
  '/garua/stream/1',
];

describe('a stranger to a fog', () => {
  const folder = temporaryFolder();
  const hosts: MeshProcess[] = [];
  after(() => Promise.all(hosts.map((host) => host.kill())));
  let address: string;
  let fingerprint: string;

  const start = async (name: string) => {
    const listen = ['/ip4/127.0.0.1/tcp/0'];
    const host = await MeshProcess.start({ data: join(folder.path, name), name, site: 'here', listen });
    hosts.push(host);
    return host;
  };

  before(async () => {
    const fog = await (await start('member')).createFog('city');
    address = fog.addresses[0]!;
    fingerprint = fog.fingerprint;
  });

  /** Tries all protocols with a libp2p node that secures its connections like this; answers what was served. */
  async function served(encrypt: (noise: ConnectionEncrypter) => ConnectionEncrypter): Promise<string[]> {
    const { createLibp2p, tcp, noise, yamux, multiaddr } = await loadLibraries();
    const make = noise();
    const node = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [(components: Parameters<typeof make>[0]) => encrypt(make(components))],
      streamMuxers: [yamux()],
    });
    const open: string[] = [];
    try {
      for (const protocol of PROTOCOLS) {
        const signal = AbortSignal.timeout(8_000);
        await node.dialProtocol(multiaddr(address), protocol, { signal }).then(
          () => open.push(protocol),
          () => {},
        );
      }
    } finally {
      await node.stop();
    }
    return open;
  }

  it('gets no protocol with plain noise', async () => {
    assert.deepEqual(await served((noise) => noise), []);
  });

  it('gets no protocol with the membership protocol and no proof, or one of its own fog', async () => {
    const door = (proof: Doorkeeper['ownProof']): Doorkeeper => ({
      fog: fingerprint,
      ownProof: proof,
      admit: () => {},
      join: async () => [],
      settled: () => {},
    });
    assert.deepEqual(
      await served(
        (noise) =>
          new MembershipEncrypter(
            noise,
            door(() => []),
          ),
      ),
      [],
    );
    // It goes on as if it had been let in.
    const forger = (noise: ConnectionEncrypter): ConnectionEncrypter => ({
      protocol: '/garua/membership/1',
      secureInbound: (connection, options) => noise.secureInbound(connection, options),
      secureOutbound: (connection, options) => noise.secureOutbound(connection, options),
    });
    assert.deepEqual(await served(forger), []);
  });

  it('does not keep others out by holding connections open', async () => {
    const port = Number(/tcp\/(\d+)/.exec(address)![1]);
    const sockets: Socket[] = [];
    for (let count = 0; count < 60; count += 1) {
      const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
      socket.on('error', () => {});
      sockets.push(socket);
    }
    try {
      const newcomer = await start('newcomer');
      await newcomer.join(await hosts[0]!.invite());
      // They are shut out in time.
      await Promise.all(
        sockets.map((socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve))),
      );
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
