import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../mesh/support/mesh-process';
import { patternBytes } from '../store/support/bytes';
import { FogNetworkNamespaces, type NetworkHost, startHosts, untilAllSeeAll } from '../support/network';
import { temporaryFolder } from '../support/temporary';

const DAY = 86_400_000;
const PATIENCE = 60_000;

describe('a fog of three sites, each behind an uplink of its own', function () {
  this.timeout(240_000);
  const folder = temporaryFolder();
  let network: FogNetworkNamespaces;
  let hosts: NetworkHost[] = [];
  let north: NetworkHost;
  let south: NetworkHost;
  let west: NetworkHost;

  before(async () => {
    network = await FogNetworkNamespaces.open({ hosts: 1 });
    hosts = await startHosts(network, folder.path);
    [north, south, west] = hosts as [NetworkHost, NetworkHost, NetworkHost];
  });
  after(async () => {
    await Promise.all(hosts.map((host) => host.stop('SIGKILL')));
    await network?.close();
  });

  async function put(host: NetworkHost, bytes: number, seed: number): Promise<string> {
    const file = folder.join(`object-${seed}`);
    writeFileSync(file, patternBytes(bytes, seed));
    return (await host.use((opened) => opened.put(file))).cid;
  }

  async function assertReads(host: NetworkHost, cid: string, bytes: number, seed: number): Promise<void> {
    const file = folder.join('read');
    writeFileSync(file, '');
    await host.use((opened) => opened.get(cid, file));
    const same = readFileSync(file).equals(patternBytes(bytes, seed));
    assert.ok(same, `${host.name} reads other bytes than were put`);
  }

  const isUp = async (host: NetworkHost, name: string) => (await host.sees()).split(' ').includes(name);

  it('reads on from the next host when the one that sends an object is killed', async () => {
    const size = 6_000_000;
    const cid = await put(north, size, 1);
    await south.use((host) => host.get(cid, null));
    const before = await Promise.all([network.bytesFrom(0), network.bytesFrom(1)]);
    const reading = assertReads(west, cid, size, 1);
    reading.catch(() => {});
    let sender: NetworkHost | undefined;
    while (!sender) {
      await delay(20);
      if ((await network.bytesFrom(0)) - before[0] > 500_000) sender = north;
      else if ((await network.bytesFrom(1)) - before[1] > 500_000) sender = south;
    }
    await sender.stop('SIGKILL');
    await reading;
    await sender.start();
    await untilAllSeeAll(hosts);
  });

  it('heals after a site was cut off: what was put and published meanwhile arrives, once', async () => {
    const received: string[] = [];
    const inbox = await west.open();
    const ending = new AbortController();
    const subscription = { subscriber: 'test', signal: ending.signal };
    const reading = (async () => {
      for await (const { body, sequence } of inbox.subscribe('news', subscription)) {
        received.push(body);
        await inbox.acknowledge('test', [sequence]);
      }
    })().catch(() => {});
    try {
      const publish = (body: string) => north.use((host) => host.publish('news', body));
      await eventually(async () => (await publish('first')).subscribers, 1, PATIENCE);
      await eventually(async () => received.includes('first'), true, PATIENCE);
      network.cut(2);
      await eventually(() => isUp(north, 'west0'), false, PATIENCE);
      const sent = Array.from({ length: 20 }, (_, index) => `while away ${index}`);
      for (const body of sent) await publish(body);
      const cid = await put(north, 300_000, 2);
      const alone = await put(west, 300_000, 3);
      await assertReads(west, alone, 300_000, 3);
      network.heal(2);
      await eventually(async () => received.includes(sent.at(-1)!), true, PATIENCE);
      await untilAllSeeAll(hosts);
      await assertReads(west, cid, 300_000, 2);
      await assertReads(south, alone, 300_000, 3);
      assert.deepEqual(
        received.filter((body) => body !== 'first'),
        sent,
      );
    } finally {
      network.heal(2);
      ending.abort();
      await reading;
      await inbox.close();
    }
  });

  it('comes back when all hosts are killed and start together, one with its clock a day ahead', async () => {
    const cid = await put(south, 300_000, 4);
    await Promise.all(hosts.map((host) => host.stop('SIGKILL')));
    west.options.nodeOptions = ['-r', join(__dirname, 'children/shifted-clock.js')];
    west.options.env = { GARUA_CLOCK_SHIFT_MS: String(DAY) };
    await Promise.all(hosts.map((host) => host.start()));
    await untilAllSeeAll(hosts);
    for (const host of hosts) await assertReads(host, cid, 300_000, 4);
    const late = await put(west, 300_000, 5);
    await assertReads(north, late, 300_000, 5);
  });

  it('takes a host back whose database was lost, with its objects', async () => {
    const cid = await put(south, 300_000, 6);
    await south.stop('SIGKILL');
    const database = join(south.options.data, 'garua.db');
    assert.ok(existsSync(database));
    for (const ending of ['', '-wal', '-shm']) rmSync(`${database}${ending}`, { force: true });
    await south.start();
    await untilAllSeeAll(hosts);
    await assertReads(south, cid, 300_000, 6);
    await assertReads(north, cid, 300_000, 6);
  });

  it('gives nothing more to a host that was shut out', async () => {
    const cid = await put(north, 300_000, 7);
    await north.use((host) => host.fogRevoke('west0'));
    for (const host of [north, south]) await eventually(() => host.sees(), 'north0 south0', PATIENCE);
    const { status } = await west.garua('get', cid, '-o', folder.join('stolen'));
    assert.equal(status, 1);
    assert.ok(!existsSync(folder.join('stolen')) || readFileSync(folder.join('stolen')).length === 0);
    await assertReads(south, cid, 300_000, 7);
  });
});
