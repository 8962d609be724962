import assert from 'node:assert/strict';
import type { ContainerStatus } from '../../lib';
import { openHost } from '../../lib/control';
import type { Host } from '../../lib/host';
import type { OperatorBody, PlacedOperator } from '../../lib/placement';
import { describeWithCriu } from '../container/move/support';
import { PATIENCE, PlacedTestFlow, Returned, range, send } from '../host/operators/operator-fog';
import { eventually } from '../mesh/support/mesh-process';
import { type HostName, TwoHosts } from '../migration/support/two-hosts';

const FLOW = 'flow';
/** Takes a value out of a line of JSON. */
const value = (name: string, key: string) =>
  `${name}=\${line#*\\"${key}\\":}; ${name}=\${${name}%%[,\\}]*}; ${name}=\${${name}#\\"}; ${name}=\${${name}%\\"}`;
/** Answers each message with how many there were, which only its memory knows; hears none at its end. */
const COUNT = `n=0; while read -r line; do n=$((n+1)); ${value('v', 'payload')}; ${value('i', '_garua')}
  case $line in *_garua*) id="\\"_garua\\":\\"$i\\",";; *) id=;; esac
  echo "{$id\\"payload\\":$v,\\"count\\":$n}"; done`;

describeWithCriu('operators that are containers', function () {
  this.timeout(3 * PATIENCE);
  let hosts: TwoHosts;
  let home: Host;
  let owner: string;
  let placed: PlacedTestFlow;
  let returned: Returned;

  before(async () => {
    hosts = await TwoHosts.start();
    home = await openHost({ socket: `${hosts.data('ada')}/garua.sock` });
    owner = (await home.fog())!.peerId;
    returned = new Returned(home, 'back');
    placed = new PlacedTestFlow(home, FLOW, []);
  });
  after(async () => {
    await placed?.leave();
    await home?.removeFlow(FLOW).catch(() => {});
    await returned?.end();
    await home?.close();
    await hosts?.stop();
  });

  function operator(
    id: string,
    body: Partial<Extract<OperatorBody, { kind: 'container' }>>,
    more: Partial<PlacedOperator> = {},
  ): PlacedOperator {
    const spec = { image: hosts.image, command: ['sh', '-c', COUNT], ...body.spec };
    return {
      ...{ id, name: id, cpu: 0.2, memory: 16, keyed: false, instances: { least: 1, most: 1 } },
      body: { kind: 'container', done: 'read', ...body, spec },
      outputs: [{ operators: [], topics: ['back'] }],
      ...more,
    };
  }

  const containersAt = (host: HostName): Promise<ContainerStatus[]> =>
    hosts.ask(host, (all) => all.containers());

  it('get what was sent before they were there, as lines, within their limits', async () => {
    await send(home, owner, FLOW, 'count', range(0, 10));
    placed.place([operator('count', {}, { pin: 'ada' })]);
    await placed.reaches('count', 'running');
    await returned.reach(10);
    assert.deepEqual(returned.numbers, range(0, 10));
    assert.deepEqual(
      returned.messages.map(({ count }) => count),
      range(1, 11),
    );
    const [container] = await containersAt('ada');
    assert.match(container!.name, /^operator-count-/);
    const [stats] = await home.stats();
    assert.equal(stats!.memoryLimit, 16 << 20);
    assert.equal(stats!.receivedBytes ?? 0, 0);
  });

  it('move with what their memory knows, and lose and repeat nothing', async () => {
    await placed.redeploy([operator('count', {}, { allowed: ['ada', 'bob'] })]);
    await placed.reaches('count', 'running');
    const sending = send(home, owner, FLOW, 'count', range(10, 200));
    await returned.reach(30);
    const { instances } = await home.moveOperator(FLOW, 'count', 'bob');
    assert.deepEqual(
      instances.map(({ site }) => site),
      ['bob'],
    );
    await sending;
    await returned.reach(200);
    assert.deepEqual(returned.numbers, range(0, 200));
    assert.deepEqual(
      returned.messages.map(({ count }) => count),
      range(1, 201),
    );
    await eventually(async () => (await containersAt('ada')).length, 0, PATIENCE);
    assert.equal((await containersAt('bob')).length, 1);
  });

  it('give what a program had not answered to the next one when it is killed', async () => {
    const careful = operator('careful', { done: 'answered' }, { pin: 'ada' });
    await placed.redeploy([careful]);
    await placed.reaches('careful', 'running');
    const first = returned.messages.length;
    await send(home, owner, FLOW, 'careful', range(0, 1));
    await returned.reach(first + 1);
    const sending = send(home, owner, FLOW, 'careful', range(1, 150));
    await returned.reach(first + 10);
    const [{ pid }] = (await containersAt('ada')) as [ContainerStatus];
    process.kill(pid!, 'SIGKILL');
    await sending;
    const missing = async () => {
      const heard = new Set(returned.numbers.slice(first));
      return range(0, 150).filter((number) => !heard.has(number)).length;
    };
    await eventually(missing, 0, PATIENCE);
    const [{ restarts }] = (await containersAt('ada')) as [ContainerStatus];
    assert.equal(restarts, 1);
  });

  it('go on over a crash of their host, and lose nothing', async () => {
    await placed.redeploy([operator('careful', { done: 'answered' }, { pin: 'bob' })]);
    await eventually(
      async () => (await placed.status('careful'))?.instances.map(({ site }) => site).join(),
      'bob',
      PATIENCE,
    );
    await placed.reaches('careful', 'running');
    const first = returned.messages.length;
    const sending = send(home, owner, FLOW, 'careful', range(200, 300));
    await returned.reach(first + 10);
    const before = (await containersAt('bob'))[0]!.pid;
    await hosts.kill('bob');
    await hosts.daemon('bob');
    await hosts.met();
    await sending;
    const missing = async () => {
      const heard = new Set(returned.numbers.slice(first));
      return range(200, 300).filter((number) => !heard.has(number)).length;
    };
    await eventually(missing, 0, PATIENCE);
    assert.equal((await containersAt('bob'))[0]!.pid, before);
  });

  it('move with their files and what they keep where their memory cannot go along', async () => {
    // CRIU takes no device along.
    const command = ['sh', '-c', `while read -r l; do echo x >> /keep/all; echo $(wc -l < /keep/all); done`];
    const spec = { command, mounts: [{ type: 'volume', source: 'data', target: '/keep' }] };
    const cold = operator('cold', { spec } as never, { device: '/dev/null', allowed: ['ada', 'bob'] });
    await placed.redeploy([cold]);
    await placed.reaches('cold', 'running');
    const first = returned.messages.length;
    const [at] = (await placed.status('cold'))!.instances;
    const other = at!.site === 'ada' ? 'bob' : 'ada';
    const sending = send(home, owner, FLOW, 'cold', range(0, 60));
    await returned.reach(first + 10);
    await home.moveOperator(FLOW, 'cold', other);
    await sending;
    await returned.reach(first + 60);
    assert.deepEqual(returned.numbers.slice(first).map(Number), range(1, 61));
    assert.equal((await containersAt(other as HostName)).length, 1);
  });

  it('leave lines out that are too long, and say so', async () => {
    const long = `while read -r l; do case $l in *long*) yes | head -c 3000000 | tr -d '\\n'; echo;; *) echo short;; esac; done`;
    await placed.redeploy([
      operator('lines', { spec: { command: ['sh', '-c', long] } as never }, { pin: 'ada' }),
    ]);
    await placed.reaches('lines', 'running');
    const first = returned.messages.length;
    const input = `operators/${owner}/${FLOW}/lines`;
    const big = JSON.stringify({ payload: 'x'.repeat(1 << 20) });
    await home.publish(input, [big, JSON.stringify({ payload: 'long' }), JSON.stringify({ payload: 1 })]);
    await returned.reach(first + 1);
    assert.deepEqual(returned.messages.slice(first), [{ payload: 'short' }]);
    await eventually(
      async () =>
        placed.events.some(
          (event) => event.type === 'status' && event.status.error?.code === 'ERR_OPERATOR_PROGRAM',
        ),
      true,
      PATIENCE,
    );
  });

  it('leave nothing behind', async () => {
    await placed.leave();
    await home.removeFlow(FLOW);
    assert.deepEqual(await home.operators(), []);
    for (const name of ['ada', 'bob'] as const) {
      assert.deepEqual(await containersAt(name), []);
      assert.deepEqual(await hosts.ask(name, (host) => host.volumes()), []);
    }
  });
});
