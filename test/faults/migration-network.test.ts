import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ContainerSpec, ForwardStatus, MigrateOptions, MigrationResult } from '../../lib';
import { describeWithCriu } from '../container/move/support';
import { eventually } from '../mesh/support/mesh-process';
import { COUNTER } from '../migration/support/two-hosts';
import { garuaJson } from '../support/garua';
import { busyboxLayer, makeImage } from '../support/images';
import { FogNetworkNamespaces, type NetworkHost, startHosts, untilAllSeeAll } from '../support/network';
import { startRegistry } from '../support/registry';
import { temporaryFolder } from '../support/temporary';

const run = promisify(execFile);

const SERVER = 'mkdir /www; echo hello > /www/index.html; httpd -p 80 -h /www';

type Result = MigrationResult & { forwards?: ForwardStatus[] };

describeWithCriu('migration between two sites', function () {
  this.timeout(180_000);
  const folder = temporaryFolder();
  const shared = folder.join('shared');
  let network: FogNetworkNamespaces;
  let hosts: [NetworkHost, NetworkHost];
  let image: string;

  before(async () => {
    await mkdir(shared);
    const registry = await startRegistry();
    image = `${registry.host}/fog/box:1`;
    await registry.push(
      makeImage({ layers: [busyboxLayer()], config: { Env: ['PATH=/bin'] } }),
      'fog/box',
      '1',
    );
    // Their namespaces have no way to the registry.
    for (const host of ['north0', 'south0']) await garuaJson(folder.join(host), 'pull', image);
    await registry.stop();
    network = await FogNetworkNamespaces.open({ sites: 2, hosts: 1 });
    hosts = (await startHosts(network, folder.path)) as [NetworkHost, NetworkHost];
  });
  after(async () => {
    for (const host of hosts ?? []) {
      const remove = async () => host.use((all) => all.remove('counter', { force: true, graceMs: 0 }));
      await remove().catch(() => {});
      await host.stop();
    }
    await network?.close();
  });

  const deploy = (host: NetworkHost, spec: Partial<ContainerSpec>) =>
    host.use((all) => all.deploy({ image, network: 'bridge', ...spec }, { policy: 'never' }));

  function migrate(options: Partial<MigrateOptions> = {}, [from, to] = hosts): Promise<Result> {
    return from.use(async (all) => {
      const outcome = await all.migrate('counter', { to: to.name, ...options });
      return outcome as Result;
    });
  }

  const numbers = () => {
    const file = join(shared, 'numbers');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
  };

  /** It counts on, on one host alone. */
  async function countsOn(at: NetworkHost): Promise<void> {
    const start = numbers().length;
    const end = performance.now() + 60_000;
    while (numbers().length < start + 5) {
      assert.ok(performance.now() < end, `it has stopped at ${start}`);
      await delay(50);
    }
    const all = numbers();
    assert.deepEqual(
      all,
      all.map((_, index) => index + 1),
      'a number is missing or came twice',
    );
    for (const host of hosts) {
      const states = (await host.use((one) => one.containers())).map(({ name, state }) => `${name} ${state}`);
      assert.deepEqual(
        states.filter((state) => state.startsWith('counter')),
        host === at ? ['counter running'] : [],
      );
    }
  }

  /** What a client at a host is answered at the published port of the other. */
  async function get(from: NetworkHost, to: NetworkHost): Promise<string> {
    const script = `fetch('http://${to.place.address}:8080/').then((answer) => answer.text()).then(
      (text) => console.log(text.trim()), (error) => console.log(error.cause?.code))`;
    const words = ['netns', 'exec', from.place.namespace, process.execPath, '-e', script];
    return (await run('ip', words)).stdout.trim();
  }

  it('goes there and back, keeps its address, and is reached at the ports of the host that it has left', async () => {
    const [north, south] = hosts;
    await deploy(north, {
      ...{ name: 'counter', command: ['sh', '-c', `${SERVER}; ${COUNTER}`] },
      ports: [{ hostPort: 8080, containerPort: 80 }],
      mounts: [{ type: 'bind', source: shared, target: '/shared' }],
    });
    await countsOn(north);
    assert.equal(await get(south, north), 'hello');
    const there = await migrate({}, [north, south]);
    assert.deepEqual([there.outcome, there.address], ['moved', 'kept'], JSON.stringify(there));
    assert.deepEqual(
      there.forwards?.map(({ hostPort, to, state }) => `${hostPort} ${to} ${state}`),
      ['8080 south0 open'],
    );
    await countsOn(south);
    assert.equal(await get(south, north), 'hello');
    const [forward] = await north.use((host) => host.forwards());
    assert.deepEqual([forward?.container, forward?.to, forward?.connections], ['counter', 'south0', 1]);
    const back = await migrate({ forwardMs: 0 }, [south, north]);
    assert.deepEqual([back.outcome, back.address, back.forwards], ['moved', 'kept', undefined]);
    await countsOn(north);
    assert.equal(await get(south, north), 'hello');
    await eventually(() => north.use((host) => host.forwards()).then((all) => all.length), 0, 30_000);
  });

  it('stays, or goes on at the other host, when the line goes silent once it was offered', async () => {
    let cut = false;
    const result = await migrate({
      onProgress({ phase }) {
        if (phase !== 'starting' || cut) return;
        cut = true;
        network.cut(1);
        // Longer than it takes to see a host as down.
        setTimeout(() => network.heal(1), 15_000);
      },
    });
    assert.ok(cut, 'it was not offered');
    await untilAllSeeAll(hosts);
    if (result.outcome === 'rolled-back') assert.match(result.error!.code, /^ERR_(MESH|MIGRATION)_/);
    await countsOn(hosts[result.outcome === 'moved' ? 1 : 0]);
  });
});
