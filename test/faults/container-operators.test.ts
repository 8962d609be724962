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
});
