import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import type { Probe } from '../../lib/container';
import { ContainerPaths } from '../../lib/container/paths';
import { askByHttp } from '../../lib/container/probe/http';
import { probeTarget, type Reachable } from '../../lib/container/probe/target';
import { askByTcp } from '../../lib/container/probe/tcp';
import { Verdict } from '../../lib/container/probe/verdict';
import { completeProbe } from '../../lib/container/spec/lifecycle';
import { ContainerFixture, eventually } from '../container/fixture';

const LIVES = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.02; done'];
const NEVER = new AbortController().signal;
const OWN: Reachable = { network: 'host', address: null, ports: [] };
/** Soon and often, and nothing is forgiven. */
const QUICK = { intervalMs: 100, timeoutMs: 2_000, failureThreshold: 2, startPeriodMs: 0 };

describe('container: probes', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    await fixture.reopen();
  });
  afterEach(() => fixture.destroy());

  const exec = (script: string, more: Partial<Probe> = {}): Probe => ({
    ...QUICK,
    exec: ['sh', '-c', script],
    ...more,
  });

  it('tells how health changes, to those who look and to those who watch', async () => {
    const seen: string[] = [];
    const end = new AbortController();
    const watching = (async () => {
      for await (const { health } of fixture.engine.watch({ signal: end.signal })) seen.push(health);
    })();
    const probe = exec('test -e /tmp/well');
    const { container } = await fixture.deploy({ command: LIVES, readiness: probe });
    assert.equal(container.health, 'starting');
    const bad = await fixture.until(({ health }) => health === 'unhealthy');
    assert.equal(bad.reason, 'readiness probe: sh ended with status 1');
    assert.equal(bad.state, 'running');
    await inContainer('touch /tmp/well');
    const well = await fixture.until(({ health }) => health === 'healthy');
    assert.deepEqual([well.reason, well.restarts], [null, 0]);
    await fixture.engine.stop('box', { graceMs: 0 });
    end.abort();
    await watching;
    const changes = seen.filter((health, index) => health !== seen[index - 1]);
    assert.deepEqual(changes, ['starting', 'unhealthy', 'healthy', 'none']);
  });

  it('restarts what is not alive, with the reason', async () => {
    const reasons: (string | null)[] = [];
    const end = new AbortController();
    const watching = (async () => {
      for await (const { state, reason } of fixture.engine.watch({ signal: end.signal })) {
        if (state === 'restarting') reasons.push(reason);
      }
    })();
    await fixture.deploy({
      command: LIVES,
      restart: { policy: 'on-failure' },
      liveness: exec('test ! -e /tmp/ill && echo fine || { echo cannot go on; exit 7; }'),
    });
    const first = await fixture.until(({ health }) => health === 'healthy');
    await inContainer('touch /tmp/ill');
    await fixture.until(({ state }) => state === 'restarting');
    await removeFromUpper('tmp/ill');
    const again = await fixture.until(({ state, health }) => state === 'running' && health === 'healthy');
    assert.equal(again.restarts, 1);
    assert.notEqual(again.pid, first.pid);
    end.abort();
    await watching;
    assert.deepEqual(reasons, ['unhealthy: sh ended with status 7: cannot go on']);
  });

  it('does not restart without a policy', async () => {
    const { container } = await fixture.deploy({ command: LIVES, liveness: exec('exit 1') });
    await fixture.until(({ health }) => health === 'unhealthy');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { pid, restarts } = await fixture.engine.get('box');
    assert.deepEqual([pid, restarts], [container.pid, 0]);
  });

  it('does not count failures within the start period', async () => {
    const liveness = exec('exit 1', { startPeriodMs: 700, failureThreshold: 1 });
    const { container } = await fixture.deploy({ command: LIVES, liveness });
    const started = Date.parse(container.startedAt!);
    await fixture.until(({ health }) => health === 'unhealthy');
    assert.ok(Date.now() - started >= 700);
  });

  it('says that a question cannot be asked, and restarts nothing for it', async () => {
    for (const command of [
      ['/bin/curl', 'x'],
      ['sh', '-c', 'curl localhost'],
    ]) {
      const restart = { policy: 'always' } as const;
      const { container } = await fixture.deploy({
        command: LIVES,
        restart,
        liveness: { ...QUICK, exec: command },
      });
      const { reason } = await fixture.until(({ health }) => health === 'unhealthy');
      assert.match(reason!, /^liveness probe: its command cannot be run in the container: .*curl/);
      await new Promise((resolve) => setTimeout(resolve, 400));
      const { pid, restarts } = await fixture.engine.get('box');
      assert.deepEqual([pid, restarts], [container.pid, 0]);
      await fixture.engine.remove('box', { force: true, graceMs: 0 });
    }
    const path = process.env.PATH;
    await fixture.deploy({ command: LIVES, restart: { policy: 'always' }, liveness: exec('true') });
    await fixture.until(({ health }) => health === 'healthy');
    process.env.PATH = '/nowhere';
    try {
      const { reason, restarts } = await fixture.until(({ health }) => health === 'unhealthy');
      assert.match(reason!, /program runc is not installed/);
      assert.equal(restarts, 0);
    } finally {
      process.env.PATH = path;
    }
    await fixture.until(({ health }) => health === 'healthy');
  });

  it('kills all that a command which hangs has started', async () => {
    const marker = 800_000 + (process.pid % 100_000);
    const script = `sleep ${marker} & sh -c "trap '' TERM; sleep ${marker}" & sleep ${marker}`;
    await fixture.deploy({
      command: LIVES,
      readiness: exec(script, { timeoutMs: 300, intervalMs: 5_000, failureThreshold: 1 }),
    });
    await eventually(async () => processes(marker).length > 0);
    const { reason } = await fixture.until(({ health }) => health === 'unhealthy');
    assert.equal(reason, 'readiness probe: sh did not end within 300 ms');
    assert.deepEqual(processes(marker), []);
    const [id] = await readdir(fixture.directory.join('containers'));
    const left = (await readdir(fixture.directory.join('containers', id!))).filter((name) =>
      name.startsWith('probe'),
    );
    assert.deepEqual(left, []);
  });

  it('begins with `starting` under the next process', async () => {
    await fixture.deploy({ command: LIVES, readiness: exec('true') });
    await fixture.until(({ health }) => health === 'healthy');
    await fixture.reopen();
    assert.equal((await fixture.engine.get('box')).health, 'starting');
    await fixture.until(({ health }) => health === 'healthy');
  });

  it('asks a container on the bridge at its address, and by a published port of the host', async () => {
    const command = ['sh', '-c', 'mkdir /w; echo hi > /w/index.html; exec busybox httpd -f -p 80 -h /w'];
    // Or the grace would be waited for.
    const image = await fixture.image({ StopSignal: 'SIGKILL' });
    const hostPort = await freePort();
    const ports = [{ hostPort, containerPort: 80 }];
    await fixture.deploy(
      {
        command,
        network: 'bridge',
        ports,
        liveness: { ...QUICK, http: 'http://:80/index.html' },
        readiness: { ...QUICK, tcp: hostPort },
      },
      image,
    );
    const { address } = await fixture.until(({ health }) => health === 'healthy');
    assert.match(address!, /^10\.86\./);
    await fixture
      .deploy(
        {
          command,
          network: 'bridge',
          ports,
          readiness: { ...QUICK, http: `http://localhost:${hostPort}/none` },
        },
        image,
      )
      .then(
        () => assert.fail('there is no such page'),
        (error) => assert.match(error.message, /GET \/none on port 80 answered with status 404/),
      );
  });

  it('waits at the first deploy only when asked to', async () => {
    const { image, layers } = await fixture.image();
    const spec = { image: image.ref, name: 'box', network: 'none', command: LIVES } as const;
    const readiness = exec('test -e /tmp/x || { touch /tmp/x; exit 1; }', { startPeriodMs: 5_000 });
    const { container } = await fixture.engine.deploy({ ...spec, readiness }, image, layers, {
      waitReady: true,
    });
    assert.equal(container.health, 'healthy');
    const bad = { ...spec, name: 'bad', readiness: exec('exit 1') };
    await assert.rejects(fixture.engine.deploy(bad, image, layers, { waitReady: true }), {
      code: 'ERR_CONTAINER_NOT_READY',
    });
    assert.equal((await fixture.engine.get('bad')).state, 'running');
  });

  describe('questions', () => {
    let server: Server;
    let base: string;
    const asked: string[] = [];
    before(async () => {
      server = createServer((request, response) => {
        asked.push(`${request.headers.host} ${request.headers.connection}`);
        if (request.url === '/redirect') response.writeHead(302, { location: 'http://192.0.2.1/' }).end();
        else if (request.url === '/endless') response.writeHead(200).write('x'.repeat(1 << 20));
        else if (request.url !== '/silent') response.writeHead(Number(request.url!.slice(1))).end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      base = `http://localhost:${(server.address() as AddressInfo).port}`;
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    it('takes 200 to 399 for an answer, reads no body and follows no redirect', async () => {
      const ask = async (path: string) => (await askByHttp(`${base}${path}`, OWN, 2_000, NEVER)).outcome;
      for (const path of ['/200', '/204', '/399', '/redirect', '/endless'])
        assert.equal(await ask(path), 'success', path);
      for (const path of ['/400', '/404', '/500']) assert.equal(await ask(path), 'failure', path);
      assert.deepEqual([...new Set(asked)], [`${new URL(base).host} close`]);
      await eventually(async () => (await connections(server)) === 0);
    });

    it('fails when no answer comes in time, or nobody is there', async () => {
      const silent = await askByHttp(`${base}/silent`, OWN, 100, NEVER);
      assert.deepEqual([silent.outcome, /no answer within 100 ms/.test(silent.detail)], ['failure', true]);
      const nobody = await askByHttp(`http://:${await freePort()}`, OWN, 1_000, NEVER);
      assert.match(nobody.detail, /ECONNREFUSED/);
      assert.match((await askByTcp(await freePort(), OWN, 1_000, NEVER)).detail, /ECONNREFUSED/);
      const { port } = server.address() as AddressInfo;
      assert.equal((await askByTcp(port, OWN, 1_000, NEVER)).outcome, 'success');
      assert.equal((await askByTcp(`127.0.0.1:${port}`, OWN, 1_000, NEVER)).outcome, 'success');
    });
  });

  it('knows where to ask', () => {
    const ports = [
      { hostPort: 8080, containerPort: 80 },
      { hostPort: 80, containerPort: 9 },
    ];
    const bridge = { network: 'bridge', address: '10.86.0.7', ports } as const;
    for (const host of ['', 'localhost', '127.0.0.1', '[::1]', '0.0.0.0']) {
      assert.deepEqual(probeTarget(host, 8080, bridge), { host: '10.86.0.7', port: 80, itself: true });
    }
    assert.equal(probeTarget('', 80, bridge).port, 80);
    assert.equal(probeTarget('', 5000, bridge).port, 5000);
    assert.deepEqual(probeTarget('nas.local', 8080, bridge), {
      host: 'nas.local',
      port: 8080,
      itself: false,
    });
    assert.equal(probeTarget('', 8080, { ...bridge, network: 'host', address: null }).host, 'localhost');
  });

  it('judges by thresholds', () => {
    const verdict = new Verdict(
      completeProbe({ tcp: 1, successThreshold: 2, failureThreshold: 2, startPeriodMs: 0 }),
      0,
    );
    const answers = [
      'success',
      'success',
      'failure',
      'success',
      'failure',
      'failure',
      'success',
      'success',
    ] as const;
    const states = answers.map((outcome) => {
      verdict.note({ outcome, detail: '' });
      return verdict.state;
    });
    assert.deepEqual(states, [
      ...['starting', 'healthy', 'healthy', 'healthy', 'healthy', 'unhealthy', 'unhealthy', 'healthy'],
    ]);
  });

  it('asks a young container soon, then less and less often', () => {
    const verdict = new Verdict(completeProbe({ tcp: 1 }), 0);
    const pauses = Array.from({ length: 9 }, () => {
      verdict.note({ outcome: 'failure', detail: '' }, 1);
      return verdict.pause(1);
    });
    assert.deepEqual(pauses, [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
    assert.equal(verdict.state, 'starting');
    assert.equal(verdict.pause(30_000), 10_000);
  });

  it('asks at most four at a time, and none twice at once', async () => {
    const watch =
      'echo "$(ls /shared | wc -l)" >> /counts; touch /shared/$HOSTNAME; sleep 0.3; rm /shared/$HOSTNAME';
    const shared = fixture.directory.join('shared');
    const mounts = [{ source: fixture.path, target: '/all' }];
    const script = watch.replaceAll('/shared', '/all/data/shared').replace('/counts', '/all/counts');
    await mkdir(shared);
    for (let index = 0; index < 6; index += 1) {
      await fixture.deploy({
        name: `box${index}`,
        hostname: `box${index}`,
        command: LIVES,
        mounts,
        readiness: exec(script),
      });
    }
    const counts = async () =>
      (await readFile(`${fixture.path}/counts`, 'utf8').catch(() => ''))
        .split('\n')
        .filter(Boolean)
        .map(Number);
    await eventually(async () => (await counts()).length >= 12);
    assert.ok(Math.max(...(await counts())) <= 3, `${await counts()}`);
  });

  async function inContainer(script: string): Promise<void> {
    const [id] = await readdir(fixture.directory.join('containers'));
    const root = new ContainerPaths(fixture.directory).runtime;
    execFileSync('runc', ['--root', root, 'exec', id!, 'sh', '-c', script]);
  }

  async function removeFromUpper(path: string): Promise<void> {
    const [id] = await readdir(fixture.directory.join('containers'));
    await rm(fixture.directory.join('containers', id!, 'upper', path));
  }

  function processes(marker: number): string[] {
    return readdirSync('/proc').filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          .split('\0')
          .join(' ')
          .startsWith(`sleep ${marker}`);
      } catch {
        return false;
      }
    });
  }

  function connections(of: Server): Promise<number> {
    return new Promise((resolve, reject) =>
      of.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  async function freePort(): Promise<number> {
    const taken = createTcpServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    await new Promise<void>((resolve) => taken.close(() => resolve()));
    return port;
  }
});
