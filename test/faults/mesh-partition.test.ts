import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, MeshProcess } from '../mesh/support/mesh-process';
import { Namespaces } from '../mesh/support/namespaces';
import { temporaryFolder } from '../support/temporary';

/** Longer than a lost connection is tried again by libp2p itself. */
const AWAY = 70_000;

describe('a mesh whose hosts stand in networks of their own', () => {
  const folder = temporaryFolder();
  const network = new Namespaces('gmesh', '10.77.31');
  const hosts: MeshProcess[] = [];
  after(async () => {
    await Promise.all(hosts.map((host) => host.kill()));
    network.remove();
  });

  async function start(name: string, site: string, more: { mdns?: boolean } = {}): Promise<MeshProcess> {
    const { namespace } = network.add();
    const listen = ['/ip4/0.0.0.0/tcp/4747'];
    const host = await MeshProcess.start({ data: folder.join(name), name, site, namespace, listen, ...more });
    hosts.push(host);
    return host;
  }

  it('heals by itself after a host was cut off for 70 seconds', async function () {
    this.timeout(240_000);
    const one = await start('one', 'north');
    const two = await start('two', 'north');
    const three = await start('three', 'south');
    await one.createFog('city');
    const invite = await one.invite({ uses: 3 });
    await two.join(invite);
    await three.join(invite);
    for (const host of hosts) await eventually(() => host.names(), 'one three two');

    const away = three.options.namespace!;
    network.cut(away);
    await eventually(() => one.names('down'), 'three', 40_000);
    await eventually(() => three.names('down'), 'one two', 40_000);
    // Both parts go on alone, without delay.
    const before = performance.now();
    assert.equal(await one.ask('call', 'two', 'test.echo', 'hello'), 'hello');
    await three.ask('provide', 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy');
    assert.deepEqual(
      await three.ask('providers', 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'),
      [],
    );
    assert.ok(performance.now() - before < 8_000, 'a host that is cut off must not wait for the others');
    // What happens meanwhile reaches it later.
    const fourth = await start('four', 'north');
    await fourth.join(invite);
    await delay(AWAY);
    network.heal(away);
    for (const host of hosts) await eventually(() => host.names(), 'four one three two', 40_000);
    assert.equal(await fourth.ask('call', 'three', 'test.echo', 'again'), 'again');
  });

  it('finds hosts of its fog on the local network whose addresses have changed', async function () {
    this.timeout(120_000);
    const [one, two] = hosts as [MeshProcess, MeshProcess];
    await Promise.all(hosts.slice(0, 2).map((host) => host.kill()));
    // Both come back with ports that nobody has heard of.
    for (const [index, host] of [one, two].entries()) {
      host.options.listen = [`/ip4/0.0.0.0/tcp/${5000 + index}`];
      host.options.mdns = true;
    }
    await Promise.all(hosts.slice(2).map((host) => host.kill()));
    await Promise.all([one.start(), two.start()]);
    for (const host of [one, two]) await eventually(() => host.names(), 'one two', 60_000);
  });
});
