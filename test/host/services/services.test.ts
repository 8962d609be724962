import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../mesh/support/mesh-process';
import { temporaryFolder } from '../../support/temporary';
import { ServiceHost } from './fog-of-hosts';

describe('services by name', function () {
  this.timeout(120_000);
  const servers: Server[] = [];
  // Before the folder goes, which is the next hook.
  after(async () => {
    for (const host of [ada, bob, cyd]) await host.close();
    for (const server of servers) server.close();
  });
  const folder = temporaryFolder();
  const [ada, bob, cyd] = ['ada', 'bob', 'cyd'].map((name) => new ServiceHost(name, folder.join(name))) as [
    ServiceHost,
    ServiceHost,
    ServiceHost,
  ];

  before(async () => {
    for (const host of [ada, bob, cyd]) await host.open();
    await ada.mesh.createFog();
    const invite = await ada.mesh.invite({ uses: 2 });
    for (const host of [bob, cyd]) await host.mesh.join(invite);
    for (const host of [ada, bob, cyd]) {
      await eventually(async () => host.mesh.hosts().filter(({ state }) => state === 'up').length, 3);
    }
  });

  /** A program that serves each connection like this; answers its port. */
  async function program(serve: (socket: Socket) => void): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      serve(socket);
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** Says who it is to whoever has ended its side, with what that one said. */
  const greeter = (name: string) =>
    program(async (socket) => {
      const said = await text(socket);
      socket.end(`${name} heard ${said}`);
    });

  function dial(port: number): Socket {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    return socket;
  }

  /** What comes back when this is said and the side is ended: a half-open connection all the while. */
  async function say(port: number, words: string): Promise<string> {
    const socket = dial(port);
    socket.end(words);
    return text(socket);
  }

  const readyAt = (host: ServiceHost, service: string, wanted: string) =>
    eventually(async () => host.ready(service), wanted);

  it('leads to the nearest ready instance, and follows it', async () => {
    bob.programs.set('one', 'hello', await greeter('bob'));
    await readyAt(ada, 'hello', 'one@bob');
    const { port, instances } = await ada.services.use('hello');
    assert.deepEqual(
      instances.map(({ rttMs, ...rest }) => ({ ...rest, measured: rttMs! > 0 })),
      [{ container: 'one', host: 'bob', site: 'here', state: 'ready', measured: true }],
    );
    assert.equal(await say(port!, 'hi'), 'bob heard hi');

    // Local first, and back again; nobody else's port changes.
    ada.programs.set('two', 'hello', await greeter('ada'));
    await readyAt(ada, 'hello', 'two@ada one@bob');
    assert.equal(await say(port!, 'hi'), 'ada heard hi');
    assert.match(await say((await bob.services.use('hello')).port!, 'hi'), /^bob heard/);
    ada.programs.remove('two');
    bob.programs.remove('one');
    cyd.programs.set('one', 'hello', await greeter('cyd'));
    assert.equal(await say(port!, 'hi'), 'cyd heard hi');
    await readyAt(bob, 'hello', 'one@cyd');
    cyd.programs.remove('one');
  });

  it('waits for an instance that is on its way, and gives one that is not ready nothing', async () => {
    const { port } = await ada.services.use('slow');
    const greeting = say(port!, 'x');
    const there = await greeter('bob');
    bob.programs.set('slow-1', 'slow', there, 'starting');
    await eventually(
      async () => ada.services.list().find(({ name }) => name === 'slow')!.instances.length,
      1,
    );
    assert.equal(ada.ready('slow'), '');
    const early = await Promise.race([greeting, delay(500, 'nothing')]);
    assert.equal(early, 'nothing');
    bob.programs.set('slow-1', 'slow', there, 'healthy');
    assert.equal(await greeting, 'bob heard x');
    bob.programs.set('slow-1', 'slow', there, 'unhealthy');
    await readyAt(ada, 'slow', '');
  });

  it('takes the next instance when one fails before it has answered, and tells it all that was said', async () => {
    let resets = 0;
    const broken = await program((socket) => {
      socket.once('data', () => {
        resets += 1;
        socket.resetAndDestroy();
      });
    });
    ada.programs.set('broken', 'twice', broken);
    // Nobody listens there.
    cyd.programs.set('gone', 'twice', 1);
    bob.programs.set('good', 'twice', await greeter('bob'));
    await eventually(async () => ada.ready('twice').split(' ').length, 3);
    const { port } = await ada.services.use('twice');
    assert.equal(await say(port!, 'again'), 'bob heard again');
    assert.equal(resets, 1);
  });

  it('passes a reset on, each way, once bytes were answered', async () => {
    const resets: string[] = [];
    const there = await program((socket) => {
      socket.on('error', ({ code }: NodeJS.ErrnoException) => resets.push(code!));
      socket.on('data', (data) => {
        if (data.includes('break')) socket.resetAndDestroy();
        else socket.write('well');
      });
    });
    bob.programs.set('breaks', 'breaks', there);
    await readyAt(ada, 'breaks', 'breaks@bob');
    const { port } = await ada.services.use('breaks');
    const one = dial(port!);
    one.write('hello');
    await once(one, 'data');
    one.write('break');
    const [error] = (await once(one, 'error').catch((thrown) => [thrown])) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNRESET');
    const other = dial(port!);
    other.write('hello');
    await once(other, 'data');
    other.resetAndDestroy();
    await eventually(async () => resets.join(), 'ECONNRESET');
  });

  it('slows a fast sender down to a slow reader, and loses nothing', async () => {
    const size = 24 << 20;
    let sent = 0;
    const there = await program((socket) => {
      const chunk = Buffer.alloc(64 << 10, 7);
      const push = () => {
        while (sent < size) {
          sent += chunk.length;
          if (!socket.write(chunk)) return;
        }
        socket.end();
      };
      socket.on('drain', push);
      socket.once('data', push);
    });
    bob.programs.set('flood', 'flood', there);
    await readyAt(ada, 'flood', 'flood@bob');
    const socket = dial((await ada.services.use('flood')).port!);
    socket.write('go');
    await once(socket, 'readable');
    // It stops by itself, with what the system and the mesh hold.
    for (let before = -1; before !== sent; await delay(300)) before = sent;
    assert.ok(sent < size, `${sent} bytes were taken that nobody read`);
    let received = 0;
    for await (const chunk of socket) received += chunk.length;
    assert.equal(received, size);
  });

  it('is refused where the policy lets no peer in', async function () {
    if (process.getuid?.() !== 0) this.skip();
    cyd.programs.set('private', 'private', await greeter('cyd'));
    await readyAt(ada, 'private', 'private@cyd');
    await writeFile(cyd.directory.join('policy.json'), '{"peers": {"services": false}}', { mode: 0o644 });
    const open = () =>
      ada.mesh.openStream('cyd', 'services.connect', { service: 'private', container: 'private' });
    await eventually(
      () =>
        open().then(
          (stream) => stream.abort(),
          ({ code }) => code,
        ),
      'ERR_POLICY_REFUSED',
    );
    // The next change, of whatever, is told without it.
    cyd.programs.set('other', 'other', 1);
    await readyAt(ada, 'private', '');
    assert.equal(cyd.ready('private'), 'private@cyd');
  });

  it('keeps its port over a restart, and gives it back when it is released', async () => {
    bob.programs.set('one', 'stays', await greeter('bob'));
    await readyAt(ada, 'stays', 'one@bob');
    const { port } = await ada.services.use('stays');
    assert.equal((await ada.services.use('stays')).port, port);
    await ada.close();
    await assert.rejects(once(dial(port!), 'connect'), { code: 'ECONNREFUSED' });
    await ada.open();
    assert.equal(await say(port!, 'me'), 'bob heard me');
    ada.services.release('stays');
    await assert.rejects(once(dial(port!), 'connect'), { code: 'ECONNREFUSED' });
    assert.equal(ada.services.list().find(({ name }) => name === 'stays')!.port, null);
  });

  it('says when its port is in other hands, and takes it back as soon as it can', async () => {
    const { port } = await ada.services.use('taken');
    await ada.close();
    const thief = createServer().listen(port!, '127.0.0.1');
    await once(thief, 'listening');
    await ada.open();
    await assert.rejects(ada.services.use('taken'), { code: 'ERR_SERVICE_PORT_TAKEN' });
    ada.programs.set('mine', 'taken', await greeter('ada'));
    thief.close();
    await eventually(() => say(port!, 'it').catch(() => ''), 'ada heard it');
    await assert.rejects(ada.services.use('No Such Name'), { code: 'ERR_INVALID_ARGUMENT' });
  });
});
