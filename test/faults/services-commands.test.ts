import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ContainerStatus } from '../../lib/container';
import type { ServiceStatus } from '../../lib/host';
import { eventually } from '../mesh/support/mesh-process';
import { garuaJson, garua as run, spawnGarua } from '../support/garua';
import { busyboxLayer, makeImage } from '../support/images';
import { startRegistry, type TestRegistry } from '../support/registry';
import { temporaryFolder } from '../support/temporary';

describe('garua services: containers of a fog by name', function () {
  this.timeout(180_000);
  const daemons = new Map<string, ChildProcess>();
  // Before the folder goes, which is the next hook.
  after(async () => {
    for (const name of daemons.keys()) {
      for (const container of await json<ContainerStatus[]>(name, 'ps'))
        await garua(name, 'rm', '--force', container.name);
      await end(name);
    }
    await registry.stop();
  });
  const folder = temporaryFolder();
  let registry: TestRegistry;
  const garua = (host: string, ...words: string[]) => run(folder.join(host), ...words);
  const json = <T>(host: string, ...words: string[]) => garuaJson<T>(folder.join(host), ...words);

  async function daemon(name: string): Promise<void> {
    const words = ['host', '--name', name, '--site', name, '--listen', '/ip4/127.0.0.1/tcp/0'];
    const { child } = spawnGarua(folder.join(name), words);
    daemons.set(name, child);
    await once(child.stderr!, 'data');
  }

  async function end(name: string): Promise<void> {
    const child = daemons.get(name)!;
    if (child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }

  /** Runs a web server that says where it is, which is not ready until it listens. */
  const serve = (host: string) => {
    const page = `mkdir /www; echo ${host} >/www/index.html; exec httpd -f -p 80 -h /www`;
    const service = ['--service', 'web', '--service-port', '80', '--ready-probe', 'http://:80/'];
    const timing = ['--probe-interval', '200ms'];
    const where = [`${registry.host}/fog/box:1`, '--name', `web-${host}`, '--detach', ...service, ...timing];
    return garua(host, 'run', ...where, '--', 'sh', '-c', page);
  };

  const page = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`)).text();

  it('one address on a host, wherever the container runs', async function () {
    if (process.getuid?.() !== 0) this.skip();
    registry = await startRegistry();
    const config = { Env: ['PATH=/bin'] };
    await registry.push(makeImage({ layers: [busyboxLayer()], config }), 'fog/box', '1');
    await daemon('ada');
    await daemon('bob');
    await json('ada', 'fog', 'create', 'city');
    await json('bob', 'fog', 'join', (await garua('ada', 'fog', 'invite')).stdout.trim());

    const used = await json<ServiceStatus>('ada', 'services', 'use', 'web');
    assert.deepEqual(used, { name: 'web', port: used.port, instances: [] });
    assert.equal((await serve('bob')).status, 0);
    assert.equal(await page(used.port!), 'bob\n');
    assert.match(
      (await garua('ada', 'services')).stdout,
      new RegExp(`^SERVICE +PORT HERE .*\nweb +${used.port} +web-bob +bob +bob +ready +[\\d.]+ ms\n$`),
    );

    // The nearest one is here now; without it the way leads back, also for a new process at the same port.
    assert.equal((await serve('ada')).status, 0);
    await eventually(() => page(used.port!), 'ada\n');
    await garua('ada', 'stop', 'web-ada', '--time', '0');
    assert.equal(await page(used.port!), 'bob\n');
    await end('ada');
    await daemon('ada');
    assert.equal(await page(used.port!), 'bob\n');
    assert.equal((await garua('bob', 'restart', 'web-bob', '--time', '0')).status, 0);
    assert.equal(await page(used.port!), 'bob\n');

    const released = await garua('ada', 'services', 'release', 'web');
    assert.equal(released.stdout, 'web has no port here any more\n');
    await assert.rejects(page(used.port!));
    for (const words of [['use'], ['dance', 'web'], ['use', 'web', 'more']]) {
      assert.equal((await garua('ada', 'services', ...words)).status, 2, words.join(' '));
    }
  });
});
