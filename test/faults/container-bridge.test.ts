import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { execute } from '../../lib/base';
import { ContainerFixture, eventually, leasesOf } from '../container/fixture';
import { freePort, natRules, OtherMachine } from '../container/network-fixture';

const SERVER =
  'mkdir /w; echo "hello from $NAME" > /w/index.html; trap "exit 0" TERM; busybox httpd -p 80 -h /w; echo ready; while :; do sleep 0.05; done';

describe('container: the bridge', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  async function serve(name: string, hostPort: number | undefined, env: Record<string, string> = {}) {
    const ports = hostPort === undefined ? [] : [{ hostPort, containerPort: 80 }];
    const command = ['sh', '-c', SERVER];
    const deployed = await fixture.deploy({
      name,
      network: 'bridge',
      command,
      ports,
      env: { NAME: name, ...env },
    });
    for await (const { text } of fixture.engine.logs(name, { follow: true })) if (text === 'ready') break;
    return deployed;
  }

  async function fetchFrom(port: number): Promise<string> {
    let text = '';
    await eventually(async () => {
      text = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then(
        (answer) => answer.text(),
        () => '',
      );
      return text !== '';
    });
    return text.trim();
  }

  it('publishes a port, and gives port and address back', async () => {
    const port = await freePort();
    const { container } = await serve('web', port);
    assert.equal(await fetchFrom(port), 'hello from web');
    assert.deepEqual(container.ports, [
      { hostPort: port, containerPort: 80, protocol: 'tcp', hostAddress: '0.0.0.0' },
    ]);
    const [id] = await readdir(fixture.directory.join('containers'));
    assert.equal((await leasesOf(id!)).length, 1);
    assert.match(await natRules(), new RegExp(id!));
    await fixture.engine.remove('web', { force: true, graceMs: 0 });
    assert.deepEqual(await leasesOf(id!), []);
    assert.doesNotMatch(await natRules(), new RegExp(id!));
  });

  it('lets containers reach each other and the host, and knows its own address by name', async () => {
    await serve('web', undefined);
    const [id] = await readdir(fixture.directory.join('containers'));
    const [address] = await leasesOf(id!);
    const server = createServer((_request, answer) => answer.end('hello from the host')).listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const get = 'until busybox wget -qO-';
      const script = `grep client /etc/hosts; ${get} http://${address}/; do sleep 0.05; done; busybox wget -qO- http://10.86.0.1:${port}/`;
      const { stdout } = await fixture.run(script, { name: 'client', network: 'bridge' });
      assert.match(stdout[0]!, /^10\.86\.\d+\.\d+\s+client$/);
      assert.deepEqual(stdout.slice(1), ['hello from web', 'hello from the host']);
    } finally {
      server.close();
    }
  });

  it('is the default', async () => {
    const { stdout } = await fixture.run('busybox ip -o -4 addr show eth0', { network: undefined });
    assert.match(stdout.join(), /inet 10\.86\./);
  });

  it('hands a port on to the replacement', async () => {
    const port = await freePort();
    await serve('web', port);
    assert.equal(await fetchFrom(port), 'hello from web');
    const { outcome } = await serve('web', port, { NAME: 'the new one' });
    assert.equal(outcome, 'replaced');
    assert.equal(await fetchFrom(port), 'hello from the new one');
  });

  it('refuses a port that a program of the host has', async () => {
    const server = createServer().listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      await assert.rejects(serve('web', port), {
        code: 'ERR_CONTAINER_PORT_TAKEN',
        message: new RegExp(String(port)),
      });
    } finally {
      server.close();
    }
    assert.deepEqual(await fixture.engine.list(), []);
  });

  it('gives a port to one of two that ask at the same time', async () => {
    const port = await freePort();
    const results = await Promise.allSettled([serve('one', port), serve('two', port)]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const [winner] = await fixture.engine.list();
    assert.equal(await fetchFrom(port), `hello from ${winner!.name}`);
  });

  it('refuses a port that another container has, and leaves both as they are', async () => {
    const [one, two] = [await freePort(), await freePort()];
    await serve('first', one);
    const { container } = await serve('second', two);
    await assert.rejects(serve('second', one), {
      code: 'ERR_CONTAINER_PORT_TAKEN',
      message: /container first/,
    });
    assert.equal((await fixture.engine.get('second')).pid, container.pid);
    assert.equal(await fetchFrom(two), 'hello from second');
  });

  it('refuses a port that is bound on one address only, by IPv6, or by UDP, and an address that it has not', async () => {
    const loopback = createServer().listen(0, '127.0.0.1');
    const both = createServer().listen(0, '::');
    const datagram = createSocket('udp4').bind(0, '127.0.0.1');
    await Promise.all([loopback, both, datagram].map((server) => once(server, 'listening')));
    const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
    try {
      await assert.rejects(serve('web', portOf(loopback)), { code: 'ERR_CONTAINER_PORT_TAKEN' });
      await assert.rejects(serve('web', portOf(both)), { code: 'ERR_CONTAINER_PORT_TAKEN' });
      const udp = { hostPort: portOf(datagram), containerPort: 53, protocol: 'udp' } as const;
      await assert.rejects(fixture.deploy({ network: 'bridge', ports: [udp] }), {
        code: 'ERR_CONTAINER_PORT_TAKEN',
        message: /udp/,
      });
      const elsewhere = { hostPort: 5000, containerPort: 53, hostAddress: '192.0.2.1' };
      await assert.rejects(fixture.deploy({ network: 'bridge', ports: [elsewhere] }), {
        code: 'ERR_INVALID_ARGUMENT',
        message: /192\.0\.2\.1/,
      });
      // The same port of the other protocol, or of an address that the program does not use, is free.
      const free = { hostPort: portOf(loopback), containerPort: 80, hostAddress: '127.0.0.2' };
      const tcp = { ...udp, protocol: 'tcp' as const };
      const { container } = await fixture.deploy({
        network: 'bridge',
        ports: [free, tcp],
        command: ['sleep', '60'],
      });
      assert.equal(container.state, 'running');
    } finally {
      loopback.close();
      both.close();
      datagram.close();
    }
  });

  it('refuses a port that a container of another data directory has', async () => {
    const port = await freePort();
    await serve('web', port);
    const other = await ContainerFixture.create();
    try {
      const ports = [{ hostPort: port, containerPort: 80 }];
      const command = ['sleep', '60'];
      const spec = { network: 'bridge', ports, command } as const;
      await assert.rejects(other.deploy(spec), {
        code: 'ERR_CONTAINER_PORT_TAKEN',
        message: /container web/,
      });
      await fixture.engine.remove('web', { force: true, graceMs: 0 });
      assert.equal((await other.deploy(spec)).container.state, 'running');
    } finally {
      await other.destroy();
    }
  });

  it('answers at a published port by the host’s addresses, to the host, its containers, itself and other machines', async () => {
    const port = await freePort();
    await serve('web', port);
    assert.equal(await fetchFrom(port), 'hello from web');
    const machine = await OtherMachine.create();
    try {
      const byHost = await fetch(`http://${machine.host}:${port}/`).then((answer) => answer.text());
      assert.equal(byHost.trim(), 'hello from web');
      const get = `busybox wget -qO- http://${machine.host}:${port}/`;
      assert.equal(await machine.fetch(`http://${machine.host}:${port}/`), 'hello from web');
      const { stdout } = await fixture.run(get, { name: 'client', network: 'bridge' });
      assert.deepEqual(stdout, ['hello from web']);
      const itself = `sleep 0.2; busybox wget -qO- http://${machine.host}:${port + 1}/`;
      const server = 'mkdir /w; echo me > /w/index.html; busybox httpd -p 80 -h /w;';
      const ports = [{ hostPort: port + 1, containerPort: 80 }];
      const own = await fixture.run(server + itself, { name: 'own', network: 'bridge', ports });
      assert.deepEqual(own.stdout, ['me']);
    } finally {
      await machine.close();
    }
  });

  it('makes the rules anew that a firewall has swept away', async () => {
    const port = await freePort();
    await serve('web', port);
    const [id] = await readdir(fixture.directory.join('containers'));
    const chain = /-A CNI-HOSTPORT-DNAT .*-j (CNI-DN-\S+)/.exec(
      (await natRules())
        .split('\n')
        .find((line) => line.includes(id!) && line.startsWith('-A CNI-HOSTPORT'))!,
    )![1]!;
    const { hostPort } = (await fixture.engine.get('web')).ports[0]!;
    const comment = `dnat name: "garua" id: "${id}"`;
    const jump = [
      '-p',
      'tcp',
      '-m',
      'comment',
      '--comment',
      comment,
      '-m',
      'multiport',
      '--dports',
      `${hostPort}`,
    ];
    const nat = (...args: string[]) => execute('iptables', ['-w', '10', '-t', 'nat', ...args]);
    await nat('-D', 'CNI-HOSTPORT-DNAT', ...jump, '-j', chain);
    await nat('-F', chain);
    await nat('-X', chain);
    const rule = ['POSTROUTING', '-s', '10.86.0.0/16', '!', '-d', '10.86.0.0/16', '-j', 'MASQUERADE'];
    await nat('-D', ...rule);
    await fixture.run('true', { name: 'next', network: 'bridge' });
    await nat('-C', ...rule);
    assert.equal(await fetchFrom(port), 'hello from web');
  });
});
