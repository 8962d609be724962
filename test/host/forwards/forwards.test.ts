import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Database, DataDirectory, openDatabase } from '../../../lib/base';
import { ContainerNotFoundError, type ContainerStatus } from '../../../lib/container';
import { HostForwards } from '../../../lib/host/forwards';
import { PeerGate } from '../../../lib/host/peers';
import { FogMesh } from '../../../lib/mesh';
import { eventually } from '../../mesh/support/mesh-process';
import { temporaryFolder } from '../../support/temporary';

/** One host of a fog, as far as forwards go; its containers are programs of the test. */
class ForwardHost {
  readonly directory: DataDirectory;
  readonly containers = new Map<string, ContainerStatus>();
  mesh!: FogMesh;
  forwards!: HostForwards;
  #database!: Database;

  constructor(
    readonly name: string,
    folder: string,
  ) {
    this.directory = new DataDirectory(folder);
  }

  async open(idleMs?: number): Promise<void> {
    const { name, directory } = this;
    directory.acquire();
    this.#database = openDatabase(directory.join('garua.db'));
    const engine = {
      list: async () => [...this.containers.values()],
      get: async (container: string) => {
        const status = this.containers.get(container);
        if (!status) throw new ContainerNotFoundError(container);
        return status;
      },
    };
    this.forwards = new HostForwards({
      ...{ database: this.#database, peers: new PeerGate(directory), stays: true },
      ...{ engine: async () => engine, idleMs, reviewMs: 50 },
    });
    this.mesh = await FogMesh.open({
      ...{ directory, database: this.#database, name, site: name, mdns: false },
      listen: ['/ip4/127.0.0.1/tcp/0'],
    });
    this.forwards.attach(this.mesh);
  }

  /** A container runs here that publishes this port, and is reached at the other. */
  runs(name: string, hostPort: number, containerPort: number): void {
    const ports = [{ hostPort, containerPort }];
    this.containers.set(name, { name, state: 'running', address: null, ports } as unknown as ContainerStatus);
  }

  async close(): Promise<void> {
    this.forwards.close();
    await this.mesh.close();
    this.#database.close();
    this.directory.close();
  }
}

describe('forwards of published ports', function () {
  this.timeout(120_000);
  let server: Server;
  // Before the folder goes, which is the next hook.
  after(async () => {
    for (const host of [ada, bob, cyd]) await host.close();
    server.close();
  });
  const folder = temporaryFolder();
  const [ada, bob, cyd] = ['ada', 'bob', 'cyd'].map((name) => new ForwardHost(name, folder.join(name))) as [
    ForwardHost,
    ForwardHost,
    ForwardHost,
  ];
  let hostPort: number;
  let containerPort: number;

  const met = async () => {
    for (const { mesh } of [ada, bob, cyd])
      await eventually(async () => mesh.hosts().filter(({ state }) => state === 'up').length, 3, 30_000);
  };

  before(async () => {
    for (const host of [ada, bob, cyd]) await host.open();
    await ada.mesh.createFog();
    const invite = await ada.mesh.invite({ uses: 2 });
    for (const host of [bob, cyd]) await host.mesh.join(invite);
    await met();
    server = createServer({ allowHalfOpen: true }, async (socket) => {
      socket.on('error', () => {});
      socket.end(`heard ${await text(socket)}`);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    containerPort = (server.address() as AddressInfo).port;
    hostPort = await freePort();
  });

  async function freePort(): Promise<number> {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    return port;
  }

  const spec = (hostAddress = '127.0.0.1') => ({
    name: 'web',
    ports: [{ hostAddress, hostPort, containerPort, protocol: 'tcp' as const }],
  });

  /** What a client hears at the published port; the error's code when it is not let in. */
  async function ask(words: string): Promise<string> {
    const socket = connect({ port: hostPort, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(words);
    return text(socket).catch((error: { code: string }) => error.code);
  }

  const seen = ({ forwards }: ForwardHost) =>
    forwards
      .list()
      .map(
        ({ container, to, state, connections, open }) => `${container} ${to} ${state} ${connections} ${open}`,
      )
      .join();

  it('lead to where the container is now, and further when it goes on; counted, and kept over a restart', async () => {
    bob.runs('web', hostPort, containerPort);
    await ada.forwards.begin(spec(), bob.mesh.peerId, 60_000);
    ada.forwards.left('web');
    assert.equal(await ask('hello'), 'heard hello');
    await eventually(async () => seen(ada), 'web bob open 1 0', 20_000);
    bob.containers.clear();
    cyd.runs('web', hostPort, containerPort);
    // All hosts are on one machine: each needs a port of its own.
    await bob.forwards.begin(spec('127.0.0.2'), cyd.mesh.peerId, 60_000);
    assert.equal(await ask('there'), 'heard there');
    await ada.close();
    assert.equal(await ask('gone'), 'ECONNREFUSED');
    await ada.open();
    await met();
    assert.equal(await ask('again'), 'heard again');
    await eventually(async () => seen(ada), 'web bob open 3 0', 20_000);
  });

  it('leave the port to a container that wants it, and end when it has it', async () => {
    ada.forwards.stepAside([{ hostPort: hostPort + 1, containerPort: 1 }]);
    assert.match(seen(ada), /^web bob open/);
    ada.forwards.stepAside([{ hostPort, containerPort: 1 }]);
    assert.match(seen(ada), /^web bob waiting/);
    assert.equal(await ask('no'), 'ECONNREFUSED');
    ada.runs('other', hostPort, 1);
    await eventually(async () => seen(ada), '', 20_000);
    ada.containers.clear();
  });

  it('do not end for the container that is still leaving; but when their time is over', async () => {
    ada.runs('web', hostPort, 1);
    await ada.forwards.begin(spec(), cyd.mesh.peerId, 3_000);
    const ended = eventually(async () => seen(ada), '', 30_000);
    assert.equal(await ask('leaving'), 'heard leaving');
    ada.containers.clear();
    ada.forwards.left('web');
    await ended;
    assert.equal(await ask('late'), 'ECONNREFUSED');
    await ada.forwards.begin(spec(), cyd.mesh.peerId, 0);
    assert.equal(seen(ada), '');
  });

  it('end when nobody has come for long', async () => {
    await ada.close();
    await ada.open(200);
    await met();
    await ada.forwards.begin(spec(), cyd.mesh.peerId, 60_000);
    await eventually(async () => seen(ada), '', 20_000);
  });
});
