import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerSpec, ScaleOptions, ScaleResult } from '../../lib';
import { eventually } from '../mesh/support/mesh-process';
import { type HostName, TwoHosts } from '../migration/support/two-hosts';

/** Is not ready until it listens; `slow` answers after a second. */
const SERVER = [
  'mkdir -p /www/cgi-bin; cd /www; echo hello > index.html',
  'printf \'#!/bin/sh\\nsleep 1; printf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\nslow"\\n\' > cgi-bin/slow',
  'chmod +x cgi-bin/slow; sleep 0.3; httpd -f -p 80 -h /www & trap exit TERM; wait',
].join('; ');

const WEB: Partial<ContainerSpec> = {
  ...{ name: 'web', network: 'bridge', service: 'web', servicePort: 80 },
  readiness: { http: 'http://:80/', intervalMs: 200 },
  command: ['sh', '-c', SERVER],
};

describe('garua scale: instances of a service', function () {
  this.timeout(180_000);
  let hosts: TwoHosts;
  const ports = {} as Record<HostName, number>;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    hosts = await TwoHosts.start();
    await hosts.run('ada', WEB);
    for (const name of ['ada', 'bob'] as const) {
      await eventually(() => ready(name), 'web@ada', 60_000);
      ports[name] = (await hosts.ask(name, (host) => host.useService('web'))).port!;
    }
  });
  after(() => hosts?.stop());

  /** Where a host sees the service, and how it is where it is not ready. */
  const ready = (name: HostName) =>
    hosts.ask(name, async (host) => {
      const all = (await host.services()).find((service) => service.name === 'web')?.instances ?? [];
      const words = all.map(
        ({ container, host: at, state }) => `${container}@${at}${state === 'ready' ? '' : ` ${state}`}`,
      );
      return words.sort().join(' ');
    });

  const scale = (replicas: number, options: Partial<ScaleOptions> = {}, name: HostName = 'ada') =>
    hosts.ask(name, (host) => host.scale('web', { replicas, graceMs: 0, ...options }));

  const places = ({ instances }: ScaleResult) =>
    instances.map(({ container, host, site, state }) => `${container}@${host} ${site} ${state}`).join(', ');

  /** Asks both hosts' ports 25 times a second each while the work is done; answers how often, and what went wrong. */
  async function underLoad(work: () => Promise<unknown>): Promise<{ asked: number; wrong: string[] }> {
    const wrong: string[] = [];
    const requests: Promise<void>[] = [];
    let open = 0;
    const ask = async (port: number, path: string, answer: string) => {
      open += 1;
      try {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
        const text = await response.text();
        if (text.trim() !== answer) wrong.push(`${response.status} ${text}`);
      } catch (error) {
        wrong.push(String((error as Error).cause ?? error));
      } finally {
        open -= 1;
      }
    };
    let over = false;
    const asking = (async () => {
      for (let turn = 0; !over; turn += 1) {
        // A machine that is busy with other things answers fewer.
        for (const port of open < 40 ? Object.values(ports) : []) {
          requests.push(turn % 10 === 5 ? ask(port, '/cgi-bin/slow', 'slow') : ask(port, '/', 'hello'));
        }
        await delay(40);
      }
    })();
    try {
      await work();
    } finally {
      over = true;
      await asking;
      await Promise.all(requests);
    }
    return { asked: requests.length, wrong };
  }

  it('up, to another site, and down under load: not one request is lost', async () => {
    const { asked, wrong } = await underLoad(async () => {
      const up = await scale(2);
      assert.deepEqual(up, {
        ...{ name: 'web', service: 'web', replicas: 2 },
        instances: [
          { container: 'web', host: 'ada', site: 'ada', state: 'ready' },
          { container: 'web', host: 'bob', site: 'bob', state: 'ready' },
        ],
      });
      await eventually(() => ready('ada'), 'web@ada web@bob', 30_000);
      await delay(500);
      assert.equal(places(await scale(1)), 'web@ada ada ready');
      assert.deepEqual(await hosts.ps('bob'), []);
      await delay(500);
      assert.equal(places(await scale(1, { sites: ['bob'] })), 'web@bob bob ready');
      assert.deepEqual(await hosts.ps('ada'), []);
      await delay(500);
    });
    assert.deepEqual(wrong, []);
    assert.ok(asked > 50, `${asked}`);
  });

  it('asked for one at both hosts at once leaves one at least', async () => {
    await scale(2);
    const both = await Promise.allSettled([scale(1, {}, 'ada'), scale(1, {}, 'bob')]);
    for (const outcome of both) {
      if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'ERR_SCALE_RUNNING');
    }
    const left = [...(await hosts.ps('ada')), ...(await hosts.ps('bob'))];
    assert.ok(left.length > 0, 'nothing is left');
    assert.equal((await scale(1)).instances.length, 1);
  });

  it('from a host that has none of them, twice the same, and what a host has lost is made good', async () => {
    assert.equal(places(await scale(2)), 'web@ada ada ready, web@bob bob ready');
    const pids = async () => [await hosts.ps('ada'), await hosts.ps('bob')].flat().map(({ pid }) => pid);
    const before = await pids();
    assert.equal(places(await scale(2)), 'web@ada ada ready, web@bob bob ready');
    assert.deepEqual(await pids(), before);
    await hosts.ask('bob', (host) => host.remove('web', { force: true, graceMs: 0 }));
    const { status, stdout, stderr } = await hosts.garua('ada', 'scale', 'web', '2', '--json');
    assert.equal(status, 0, stderr);
    assert.equal(places(JSON.parse(stdout)), 'web@ada ada ready, web@bob bob ready');
  });

  it('gives all of them a new version', async () => {
    await hosts.run('ada', { ...WEB, env: { VERSION: '2' } });
    await eventually(() => ready('ada'), 'web@ada web@bob', 60_000);
    await scale(2);
    assert.equal(await hosts.inside('bob', 'web', 'echo $VERSION'), '2\n');
  });

  it('goes on where a killed host left off', async () => {
    await scale(1);
    const cut = scale(2).catch((error: unknown) => error);
    await delay(150);
    await hosts.kill('ada');
    await cut;
    await hosts.daemon('ada');
    await hosts.met();
    await eventually(() => scale(2).then(places, String), 'web@ada ada ready, web@bob bob ready', 60_000);
    await hosts.kill('bob');
    await hosts.daemon('bob');
    await hosts.met();
    assert.equal(places(await scale(1)), 'web@ada ada ready');
    assert.deepEqual(await hosts.ps('bob'), []);
  });

  it('says what cannot be, and takes nobody else in', async () => {
    await assert.rejects(scale(3), { code: 'ERR_SCALE_NO_ROOM' });
    await assert.rejects(scale(1, { sites: ['nowhere'] }), { code: 'ERR_INVALID_ARGUMENT' });
    await assert.rejects(scale(-1), { code: 'ERR_INVALID_ARGUMENT' });
    await hosts.run('bob', { name: 'web', command: ['sleep', '600'] });
    await assert.rejects(scale(2), { code: 'ERR_SCALE_NO_ROOM', message: /^1 of 2 instances of web/ });
    assert.deepEqual(
      (await hosts.ps('bob')).map(({ state }) => state),
      ['running'],
    );
    await hosts.ask('bob', (host) => host.remove('web', { force: true, graceMs: 0 }));
    await hosts.run('bob', { name: 'lone', command: ['sleep', '600'] });
    await assert.rejects(
      hosts.ask('bob', (host) => host.scale('lone', { replicas: 2 })),
      { code: 'ERR_SCALE_NO_SERVICE' },
    );
    await assert.rejects(
      hosts.ask('ada', (host) => host.scale('nobody', { replicas: 1 })),
      { code: 'ERR_CONTAINER_NOT_FOUND' },
    );
    for (const words of [
      ['web'],
      ['web', 'many'],
      ['web', '1', '--sites', 'a,,b'],
      ['web', '1', '--drain', 'x'],
    ]) {
      assert.equal((await hosts.garua('ada', 'scale', ...words)).status, 2, words.join(' '));
    }
    assert.deepEqual((await scale(0)).instances, []);
    assert.deepEqual(await hosts.ps('ada'), []);
  });
});
