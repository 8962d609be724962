import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import type { ContainerSpec, ContainerStatus } from '../../lib/container';
import { mayRunBeside } from '../../lib/container/replacement';
import { completeSpec } from '../../lib/container/spec/complete';
import { ContainerFixture, eventually, leasesOf, mountsBelow } from '../container/fixture';

const LIVES = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.02; done'];
const READY = {
  exec: ['test', '-e', '/tmp/ready'],
  intervalMs: 100,
  failureThreshold: 2,
  startPeriodMs: 10_000,
};
/** Says that it is ready after a while. */
const SLOW = ['sh', '-c', 'trap "exit 0" TERM; sleep 0.5; touch /tmp/ready; while :; do sleep 0.02; done'];
const NEVER_READY = { ...READY, startPeriodMs: 500 };

describe('container: replacement', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    await fixture.reopen();
  });
  afterEach(() => fixture.destroy());

  /** What makes two versions stop each other: both write to it. */
  const exclusive = () => ({ mounts: [{ source: fixture.path, target: '/opt' }] });

  function alive(pid: number | null): boolean {
    try {
      return process.kill(pid!, 0);
    } catch {
      return false;
    }
  }

  async function onlyOneIsLeft(): Promise<void> {
    assert.equal((await readdir(fixture.directory.join('containers'))).length, 1);
    assert.equal((await mountsBelow(fixture.path)).length, 1);
    assert.deepEqual(fixture.database.prepare('SELECT * FROM journal').all(), []);
  }

  it('keeps the old one until the new one is ready', async () => {
    const { container: old } = await fixture.deploy({ command: LIVES });
    const replacing = fixture.deploy({ command: SLOW, readiness: READY });
    await eventually(async () => (await readdir(fixture.directory.join('containers'))).length === 2);
    assert.equal(alive(old.pid), true);
    assert.equal((await fixture.engine.get('box')).pid, old.pid);
    const { outcome, container } = await replacing;
    assert.deepEqual([outcome, container.state, container.health], ['replaced', 'running', 'healthy']);
    assert.equal(alive(old.pid), false);
    await onlyOneIsLeft();
  });

  for (const [how, more] of [
    ['side by side', () => ({})],
    ['after one another', exclusive],
  ] as const) {
    it(`keeps the old one when the new one does not become ready, ${how}`, async () => {
      const { container: old } = await fixture.deploy({ command: LIVES, ...more() });
      await assert.rejects(fixture.deploy({ command: LIVES, readiness: NEVER_READY, ...more() }), {
        code: 'ERR_CONTAINER_NOT_READY',
        message: /did not become ready: test ended with status 1; the previous container/,
      });
      const now = await fixture.engine.get('box');
      assert.deepEqual([now.state, now.specDigest], ['running', old.specDigest]);
      assert.equal(now.pid === old.pid, how === 'side by side');
      assert.equal(now.rolledBack?.code, 'ERR_CONTAINER_NOT_READY');
      assert.ok(Date.parse(now.rolledBack!.time) > Date.parse(old.startedAt!));
      await onlyOneIsLeft();
      await fixture.reopen();
      assert.deepEqual((await fixture.engine.get('box')).rolledBack, now.rolledBack);
      const { container } = await fixture.deploy({ command: SLOW, readiness: READY, ...more() });
      assert.deepEqual([container.rolledBack, container.state], [null, 'running']);
    });

    it(`keeps the old one when the new one ends at once, ${how}`, async () => {
      const { container: old } = await fixture.deploy({ command: LIVES, ...more() });
      await assert.rejects(fixture.deploy({ command: ['sh', '-c', 'sleep 0.2; exit 4'], ...more() }), {
        code: 'ERR_CONTAINER_NOT_READY',
        message: /ended with status 4 \(exited\)/,
      });
      const now = await fixture.engine.get('box');
      assert.deepEqual([now.state, now.specDigest], ['running', old.specDigest]);
      await onlyOneIsLeft();
    });

    for (const phase of ['starting', 'waiting until ready']) {
      it(`leaves the old one when it is cancelled while ${phase}, ${how}`, async () => {
        const { container: old } = await fixture.deploy({ command: LIVES, ...more() });
        const cancel = new AbortController();
        const phases: string[] = [];
        const { image, layers } = await fixture.image();
        const spec = {
          image: image.ref,
          name: 'box',
          network: 'none',
          command: LIVES,
          readiness: READY,
        } as const;
        const deploying = fixture.engine.deploy({ ...spec, ...more() }, image, layers, {
          signal: cancel.signal,
          onProgress: (progress) => {
            phases.push(progress.phase);
            if (progress.phase === phase) cancel.abort();
          },
        });
        await assert.rejects(deploying, { code: 'ERR_ABORTED' });
        assert.equal(phases.at(-1), phase);
        const now = await fixture.engine.get('box');
        assert.deepEqual([now.state, now.specDigest, now.rolledBack], ['running', old.specDigest, null]);
        await onlyOneIsLeft();
      });
    }
  }

  it('clears the note of a failed version when the old one is asked for again', async () => {
    await fixture.deploy({ command: LIVES });
    await assert.rejects(fixture.deploy({ command: ['false'] }));
    assert.ok((await fixture.engine.get('box')).rolledBack);
    const { outcome, container } = await fixture.deploy({ command: LIVES });
    assert.deepEqual([outcome, container.rolledBack], ['unchanged', null]);
  });

  it('lets a job that does its work in a moment take the place', async () => {
    await fixture.deploy({ command: LIVES });
    const { outcome } = await fixture.deploy({ command: ['true'] });
    assert.equal(outcome, 'replaced');
    assert.equal((await fixture.until(({ state }) => state !== 'running')).state, 'stopped');
  });

  it('does not wait where nothing runs', async () => {
    await fixture.deploy({ command: LIVES });
    await fixture.engine.stop('box', { graceMs: 0 });
    const { container } = await fixture.deploy({ command: SLOW, readiness: READY });
    assert.equal(container.health, 'starting');
  });

  it('stops the old one first where both publish the same port', async () => {
    const hostPort = await freePort();
    const serve = (text: string): Partial<ContainerSpec> => ({
      command: ['sh', '-c', `mkdir /w; echo ${text} > /w/index.html; exec busybox httpd -f -p 80 -h /w`],
      network: 'bridge',
      ports: [{ hostPort, containerPort: 80 }],
      readiness: { http: 'http://:80/', intervalMs: 100 },
    });
    const image = await fixture.image({ StopSignal: 'SIGKILL' });
    await fixture.deploy(serve('one'), image);
    const [id] = await readdir(fixture.directory.join('containers'));
    const { container } = await fixture.deploy(serve('two'), image);
    assert.equal(container.health, 'healthy');
    const answer = await fetch(`http://127.0.0.1:${hostPort}/`, { headers: { connection: 'close' } });
    assert.equal(await answer.text(), 'two\n');
    assert.deepEqual(await leasesOf(id!), []);
  });

  it('gives the name on the bridge to the new one as soon as that is in its place', async () => {
    const network = 'bridge';
    const address = async () => {
      const ids = await readdir(fixture.directory.join('containers'));
      const watcher = (await Promise.all(ids.map(recordOf))).find(({ name }) => name === 'watcher')!;
      const hosts = await readFile(fixture.directory.join('containers', watcher.id, 'files/hosts'), 'utf8');
      return /^(\S+)\s.*\bbox\b/m.exec(hosts)?.[1];
    };
    await fixture.deploy({ name: 'watcher', command: LIVES, network });
    // Takes its time to end.
    const old = ['sh', '-c', 'trap "sleep 1; exit 0" TERM; while :; do sleep 0.02; done'];
    const first = (await fixture.deploy({ command: old, network })).container.address;
    assert.equal(await address(), first);
    const replacing = fixture.deploy({ command: SLOW, readiness: READY, network });
    const { address: second } = await fixture.until((status) => status.address !== first);
    await eventually(async () => (await address()) === second);
    // The old one still ends in peace.
    assert.equal((await readdir(fixture.directory.join('containers'))).length, 3);
    await replacing;
    assert.equal(await address(), second);
  });

  it('keeps nobody else’s ports waiting while it waits until it is ready', async () => {
    const published = async () => ({
      network: 'bridge' as const,
      ports: [{ hostPort: await freePort(), containerPort: 80 }],
    });
    await fixture.deploy({ command: LIVES, ...(await published()) });
    const end = new AbortController();
    const { image, layers } = await fixture.image();
    const never = { exec: ['test', '-e', '/never'], startPeriodMs: 60_000 };
    const phases: string[] = [];
    const replacing = fixture.engine.deploy(
      { image: image.ref, name: 'box', command: LIVES, readiness: never, ...(await published()) },
      image,
      layers,
      { signal: end.signal, onProgress: ({ phase }) => phases.push(phase) },
    );
    const given = assert.rejects(replacing, { code: 'ERR_ABORTED' });
    await eventually(async () => phases.includes('waiting until ready'));
    const other = { name: 'other', command: LIVES, ...(await published()) };
    assert.equal((await fixture.deploy(other)).container.state, 'running');
    end.abort();
    await given;
    assert.equal((await fixture.engine.get('box')).state, 'running');
  });

  it('takes turns with another deploy of the name', async () => {
    const versions = ['1', '2', '3'].map((VERSION) => fixture.deploy({ command: LIVES, env: { VERSION } }));
    const outcomes = (await Promise.all(versions)).map(({ outcome }) => outcome);
    assert.deepEqual(outcomes.sort(), ['replaced', 'replaced', 'started']);
    assert.equal((await readdir(fixture.directory.join('containers'))).length, 1);
  });

  it('tells those who watch of one container, never of two', async () => {
    const seen: ContainerStatus[] = [];
    const end = new AbortController();
    const watching = (async () => {
      for await (const status of fixture.engine.watch({ signal: end.signal })) seen.push(status);
    })();
    const { container: old } = await fixture.deploy({ command: LIVES });
    const { container } = await fixture.deploy({ command: LIVES, env: { A: '1' } });
    await eventually(async () => seen.length >= 2);
    end.abort();
    await watching;
    assert.deepEqual(
      seen.map(({ state, pid }) => [state, pid]),
      [
        ['running', old.pid],
        ['running', container.pid],
      ],
    );
  });

  it('knows who can run side by side', () => {
    const beside = (old: Partial<ContainerSpec>, next: Partial<ContainerSpec>) =>
      mayRunBeside(completeSpec({ image: 'i', ...old }), completeSpec({ image: 'i', ...next }));
    const port = (hostPort: number, hostAddress?: string) => ({
      ports: [{ hostPort, containerPort: 80, ...(hostAddress ? { hostAddress } : {}) }],
    });
    assert.equal(beside({}, {}), true);
    assert.equal(beside(port(80), port(81)), true);
    assert.equal(beside(port(80), port(80)), false);
    assert.equal(beside(port(80, '127.0.0.1'), port(80, '10.0.0.1')), true);
    assert.equal(beside({ network: 'host' }, { network: 'host' }), false);
    assert.equal(beside({ network: 'host' }, port(80)), false);
    assert.equal(beside({ network: 'host' }, {}), true);
    const mount = (readOnly: boolean) => ({ mounts: [{ source: '/srv', target: '/srv', readOnly }] });
    assert.equal(beside(mount(false), mount(true)), false);
    assert.equal(beside(mount(true), mount(true)), true);
    const inside = { mounts: [{ source: '/srv/deep', target: '/d' }] };
    assert.equal(beside(mount(false), inside), false);
    assert.equal(beside(inside, mount(true)), false);
    assert.equal(beside({ mounts: [{ source: '/srv2', target: '/d' }] }, mount(false)), true);
    const volume: Partial<ContainerSpec> = { mounts: [{ type: 'volume', source: 'data', target: '/d' }] };
    assert.equal(beside(volume, volume), false);
    const serial = { devices: [{ source: '/dev/ttyUSB0' }] };
    assert.equal(beside(serial, serial), false);
    const scratch: Partial<ContainerSpec> = { mounts: [{ type: 'tmpfs', target: '/d' }] };
    assert.equal(beside(scratch, scratch), true);
  });

  async function recordOf(id: string): Promise<{ id: string; name: string }> {
    const text = await readFile(fixture.directory.join('containers', id, 'container.json'), 'utf8');
    return { id, name: JSON.parse(text).spec.name };
  }

  async function freePort(): Promise<number> {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    await new Promise<void>((resolve) => taken.close(() => resolve()));
    return port;
  }
});
