import { deepEqual, equal, match } from 'node:assert/strict';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import { consume } from '../../../lib/mesh';
import { decodeMessage } from '../../../nodes/fog-messages';
import { eventually } from '../../mesh/support/mesh-process';
import { type FlowNode, TestNodeRed } from '../../support/node-red';
import { SilentHost } from '../../support/silent-host';
import { temporaryFolder } from '../../support/temporary';

describe('fog-out and fog-in', () => {
  const folder = temporaryFolder();
  const nodeRed = new TestNodeRed();
  const hosts: Record<string, Host> = {};

  const open = async (name: string) => {
    const mesh = { listen: ['/ip4/127.0.0.1/tcp/0'] };
    const host = await openHost({
      dataDirectory: folder.join(name),
      name,
      site: name,
      mesh,
      supervise: true,
    });
    hosts[name] = host;
    return host;
  };

  before(async () => {
    const [here, there] = [await open('here'), await open('there')];
    await here.fogCreate();
    await there.fogJoin(await here.fogInvite());
    await connected();
  });

  after(async () => {
    for (const host of Object.values(hosts)) await host.close();
  });

  const connected = () =>
    eventually(async () => {
      const sites = await hosts.here!.sites();
      return sites.flatMap((site) => site.hosts).filter(({ state }) => state === 'up').length;
    }, 2);

  /** Waits until the first host knows the subscribers. */
  const subscribed = (topic: string, count = 1) =>
    eventually(
      async () => (await hosts.here!.queues()).filter((queue) => queue.topic === topic).length,
      count,
    );

  const fogHost = (name: string): FlowNode => ({
    id: `host-${name}`,
    type: 'fog-host',
    name,
    dataDirectory: folder.join(name),
  });

  /** From the first host to a listener on the second, with what is told about errors. */
  function flow(topic: string, out: object = {}): FlowNode[] {
    return [
      { id: 'tab', type: 'tab' },
      fogHost('here'),
      fogHost('there'),
      { id: 'out', z: 'tab', type: 'fog-out', topic, host: 'host-here', maximum: '100', ...out },
      {
        id: `in-${topic}`,
        z: 'tab',
        type: 'fog-in',
        topic,
        host: 'host-there',
        retained: true,
        wires: [['seen']],
      },
      { id: 'seen', z: 'tab', type: 'helper' },
      {
        id: 'catch',
        z: 'tab',
        type: 'catch',
        x: 1,
        y: 1,
        scope: ['out', `in-${topic}`],
        wires: [['failed']],
      },
      { id: 'failed', z: 'tab', type: 'helper' },
      { id: 'complete', z: 'tab', type: 'complete', x: 1, y: 1, scope: ['out'], wires: [['done']] },
      { id: 'done', z: 'tab', type: 'helper' },
    ];
  }

  it('carry a message with all it holds to the other site', async () => {
    await nodeRed.load(flow('all'));
    await subscribed('all');
    const payload = { bytes: Buffer.from([1, 2]), at: new Date(5), missing: undefined };
    nodeRed.send('out', { topic: 'its own', payload, req: { socket: 1 } });
    const message = await nodeRed.message('seen');
    deepEqual([message.topic, message.payload, message.req], ['its own', payload, undefined]);
    const { topic, host, site, retained } = message.fog as Record<string, unknown>;
    deepEqual([topic, host, site, retained], ['all', 'here', 'here', false]);
    await nodeRed.message('done');
    await nodeRed.status('out', /^green dot sent$/);
    await nodeRed.status('in-all', /^green dot 1 other site$/);
  });

  it('keep the order of large and small messages', async () => {
    await nodeRed.load(flow('order'));
    await subscribed('order');
    for (let n = 0; n < 60; n += 1) {
      nodeRed.send('out', { n, payload: n % 20 === 0 ? Buffer.alloc(1 << 20) : n });
    }
    await nodeRed.message('seen', ({ n }) => n === 59);
    deepEqual(
      nodeRed.received.get('seen')!.map(({ n }) => n),
      Array.from({ length: 60 }, (_, n) => n),
    );
  });

  it('take the topic of the message where the node has none, and say when there is none at all', async () => {
    await nodeRed.load(flow('named', { topic: '' }));
    await subscribed('named');
    nodeRed.send('out', { payload: 1 });
    const { error } = (await nodeRed.message('failed')) as { error: { message: string } };
    match(error.message, /no topic/);
    nodeRed.send('out', { topic: 'named', payload: 2 });
    equal((await nodeRed.message('seen')).payload, 2);
  });

  it('report what cannot be sent', async () => {
    await nodeRed.load(flow('limits'));
    nodeRed.send('out', { payload: Buffer.alloc(13 << 20) });
    const { error } = (await nodeRed.message('failed')) as { error: { cause: { code: string } } };
    equal(error.cause.code, 'ERR_MESH_MESSAGE_TOO_LARGE');
    await nodeRed.status('out', /^red ring/);
  });

  it('give a kept message to a node that comes later', async () => {
    await nodeRed.load(flow('kept', { retain: true }));
    nodeRed.send('out', { payload: 'old' });
    nodeRed.send('out', { payload: 'kept' });
    await nodeRed.message('seen', ({ payload }) => payload === 'kept');
    const late = {
      id: 'late',
      z: 'tab',
      type: 'fog-in',
      topic: 'kept',
      host: 'host-here',
      wires: [['later']],
    };
    await nodeRed.deploy([...flow('kept'), late, { id: 'later', z: 'tab', type: 'helper' }], 'nodes');
    const { payload, fog } = await nodeRed.message('later');
    deepEqual([payload, (fog as { retained: boolean }).retained], ['kept', true]);
  });

  it('wait for a site that is cut off, show it, and go on by themselves', async () => {
    await nodeRed.load(flow('cut').filter(({ type }) => type !== 'fog-in'));
    // No node uses this host: none takes it over when it ends.
    const away = await open('away');
    await away.fogJoin(await hosts.here!.fogInvite());
    const subscriber = 'elsewhere';
    const nothing = away.subscribe('cut', { subscriber })[Symbol.asyncIterator]().next();
    await subscribed('cut');
    await away.close();
    await nothing;
    await eventually(async () => {
      const sites = await hosts.here!.sites();
      return sites.find(({ site }) => site === 'away')!.hosts[0]!.state === 'up';
    }, false);
    nodeRed.send('out', { payload: 1 });
    nodeRed.send('out', { payload: 2 });
    await nodeRed.status('out', /^yellow ring waiting 2$/);
    const again = await open('away');
    const payloads: unknown[] = [];
    await consume(again, 'cut', { subscriber, signal: AbortSignal.timeout(40_000) }, async ({ body }) => {
      payloads.push((await decodeMessage(body)).payload);
      if (payloads.length === 2) await again.forgetQueue({ subscriber });
    });
    deepEqual(payloads, [1, 2]);
    await eventually(async () => nodeRed.shown.get('out')!.at(-1), 'green dot sent');
  });

  it('send what they have taken, also when they are deployed anew at once', async () => {
    await nodeRed.load(flow('deployed', { maximum: '1000' }).filter(({ type }) => type !== 'fog-in'));
    const got: unknown[] = [];
    const stop = new AbortController();
    const options = { subscriber: 'stays', signal: stop.signal };
    const taking = consume(hosts.there!, 'deployed', options, async ({ body }) => {
      got.push((await decodeMessage(body)).n);
    });
    await subscribed('deployed');
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    for (const n of numbers) nodeRed.send('out', { n, payload: n === 0 ? Buffer.alloc(4 << 20) : n });
    await nodeRed.deploy([]);
    await eventually(async () => got.length, numbers.length);
    deepEqual(got, numbers);
    stop.abort();
    await taking;
  });

  it('hold no more than they may for a host that hangs', async () => {
    const socket = folder.join('silent.sock');
    const silent = await SilentHost.listen(socket);
    const host = { id: 'host-here', type: 'fog-host', socket };
    const nodes = flow('hung').filter(({ id, type }) => type !== 'fog-in' && id !== 'host-here');
    await nodeRed.load([...nodes, host]);
    for (let n = 0; n < 5; n += 1) nodeRed.send('out', { n, payload: Buffer.alloc(11 << 20) });
    const failed = (await nodeRed.message('failed')) as { n: number; error: { cause: { code: string } } };
    deepEqual([failed.error.cause.code, failed.n], ['ERR_BACKLOG_FULL', 4]);
    await nodeRed.status('out', /^red ring queue full$/);
    silent.close();
  });

  it('are forgotten when the receiving node is deleted', async () => {
    await nodeRed.load(flow('gone'));
    await subscribed('gone');
    await nodeRed.deploy(flow('gone').filter(({ type }) => type !== 'fog-in'));
    await subscribed('gone', 0);
  });
});
