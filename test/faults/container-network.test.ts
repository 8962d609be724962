import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execute } from '../../lib/base';
import { type Attachment, readAttachment } from '../../lib/container/network/attachments';
import { ContainerFixture, eventually, leasesOf } from '../container/fixture';
import { freePort, natRules } from '../container/network-fixture';

/** What kills the process: after the bridge plugin has run, after the port plugin has run ... */
const STEPS = ['ADD bridge before', 'ADD bridge', 'ADD portmap before', 'ADD portmap', 'hosts'];

describe('container: what a crash leaves on the bridge', () => {
  let fixture: ContainerFixture;
  let port: number;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    port = await freePort();
  });
  afterEach(() => fixture.destroy());

  const spec = () => ({
    ...{ name: 'web', network: 'bridge' as const, command: ['sh', '-c', 'while :; do sleep 0.05; done'] },
    ports: [{ hostPort: port, containerPort: 80 }],
  });

  /** Another process does it, and is killed in the middle of connecting or of disconnecting. */
  async function inOtherProcess(action: 'deploy' | 'start' | 'remove', crashAt: string) {
    const { image, layers } = await fixture.image();
    const document = join(fixture.path, 'crash.json');
    const full = { image: image.ref, ...spec() };
    const directory = fixture.directory.path;
    await writeFile(document, JSON.stringify({ directory, spec: full, image, layers, action, crashAt }));
    const child = spawn(process.execPath, [join(__dirname, 'children/network-crash.js'), document], {
      stdio: 'inherit',
    });
    const [, signal] = await once(child, 'close');
    assert.equal(signal, 'SIGKILL');
  }

  async function links(): Promise<string[]> {
    const { stdout } = await execute('ip', ['-o', 'link', 'show', 'master', 'garua0']);
    return stdout.split('\n').filter((line) => line !== '');
  }

  async function assertNothingIsLeft(ids: string[]): Promise<void> {
    for (const id of ids) {
      assert.deepEqual(await leasesOf(id), []);
      assert.equal(await readAttachment(id), undefined);
      assert.doesNotMatch(await natRules(), new RegExp(id));
    }
  }

  for (const step of STEPS) {
    it(`goes at the next open: a first deploy killed at "${step}"`, async () => {
      await fixture.close();
      const before = new Set((await links()).map((line) => line.split(':')[1]));
      await inOtherProcess('deploy', step);
      const ids = await readdir(fixture.directory.join('containers'));
      assert.equal(ids.length, 1);
      await fixture.open();
      await assertNothingIsLeft(ids);
      // The kernel takes the interface away after the namespace.
      await eventually(async () => (await links()).every((line) => before.has(line.split(':')[1])));
    });

    it(`is made whole at the next open: a start killed at "${step}"`, async () => {
      const script =
        'mkdir -p /w; echo hi > /w/index.html; busybox httpd -p 80 -h /w; while :; do sleep 0.05; done';
      await fixture.deploy({ ...spec(), command: ['sh', '-c', script] });
      await fixture.engine.stop('web', { graceMs: 0 });
      await fixture.close();
      await inOtherProcess('start', step);
      await fixture.open();
      const status = await fixture.engine.get('web');
      assert.equal(status.state, 'running');
      const [id] = await readdir(fixture.directory.join('containers'));
      assert.deepEqual(await leasesOf(id!), [status.address]);
      let page = '';
      await eventually(async () => {
        page = await fetch(`http://127.0.0.1:${port}/`).then(
          (answer) => answer.text(),
          () => '',
        );
        return page !== '';
      });
      assert.equal(page, 'hi\n');
    });
  }

  for (const step of ['DEL portmap before', 'DEL portmap', 'DEL bridge before', 'DEL bridge']) {
    it(`goes at the next open: a removal killed at "${step}"`, async () => {
      await fixture.deploy(spec());
      const ids = await readdir(fixture.directory.join('containers'));
      await fixture.close();
      await inOtherProcess('remove', step);
      await fixture.open();
      await assertNothingIsLeft(ids);
      // It was to be stopped first.
      assert.equal((await fixture.engine.get('web')).state, 'stopped');
    });
  }

  it('goes when its container died while nobody looked', async () => {
    const { container } = await fixture.deploy(spec());
    const ids = await readdir(fixture.directory.join('containers'));
    await fixture.close();
    process.kill(container.pid!, 'SIGKILL');
    await eventually(async () => (await readdir(fixture.directory.join('container-exits'))).length > 0);
    await fixture.open();
    await assertNothingIsLeft(ids);
  });

  it('is left to another data directory that is there, and taken from one that is gone', async () => {
    const other = await ContainerFixture.create();
    try {
      const { container } = await other.deploy(spec());
      const [id] = await readdir(other.directory.join('containers'));
      await other.close();
      await fixture.close();
      await fixture.open();
      assert.equal((await leasesOf(id!)).length, 1);
      process.kill(container.pid!, 'SIGKILL');
      await eventually(async () => (await readdir(other.directory.join('container-exits'))).length > 0);
      // It has ended, and its owner has still to see that.
      await fixture.close();
      await fixture.open();
      assert.equal((await leasesOf(id!)).length, 1);
      assert.match(await natRules(), new RegExp(id!));
      const { folder } = (await readAttachment(id!)) as Attachment;
      await execute('umount', ['-l', join(folder, 'root')], { allowFailure: true });
      await rm(folder, { recursive: true });
      await fixture.close();
      await fixture.open();
      await assertNothingIsLeft([id!]);
    } finally {
      await other.destroy();
    }
  });

  it('goes also when nothing tells where it came from, and what is of others stays', async () => {
    await fixture.deploy({ ...spec(), name: 'mine' });
    const [mine] = await readdir(fixture.directory.join('containers'));
    const lease = '/run/garua/leases/garua/10.86.255.250';
    const rule = ['-t', 'nat', '-A', 'CNI-HOSTPORT-DNAT', '-p', 'tcp', '-m', 'comment', '--comment'];
    const foreign = [...rule, 'dnat name: "podman" id: "0123456789abcdef"', '-j', 'RETURN'];
    await writeFile(lease, 'fedcba9876543210\r\neth0');
    await execute('iptables', ['-w', '10', ...foreign]);
    try {
      await fixture.close();
      await fixture.open();
      assert.deepEqual(await leasesOf('fedcba9876543210'), []);
      assert.match(await natRules(), /podman.*0123456789abcdef/);
      assert.equal((await leasesOf(mine!)).length, 1);
      assert.match(await natRules(), new RegExp(mine!));
    } finally {
      await rm(lease, { force: true });
      await execute('iptables', ['-w', '10', ...foreign.map((word) => (word === '-A' ? '-D' : word))]);
    }
  });

  it('goes altogether with removeNetwork, which spares the rules of others', async () => {
    // In a machine of its own: here other tests use the bridge.
    const child = spawn(
      'unshare',
      ['--net', '--mount', process.execPath, join(__dirname, 'children/network-removal.js')],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    const [status] = await once(child, 'close');
    assert.equal(status, 0);
    const { before, shared, after } = JSON.parse(said) as Record<string, string>;
    assert.match(before!, /garua0[\s\S]*CNI-DN-/);
    assert.match(before!, /garua0[\s\S]*MASQUERADE/);
    // Another program's published port keeps the chains that it needs.
    assert.match(shared!, /CNI-HOSTPORT-DNAT.*podman/);
    assert.doesNotMatch(shared!, /garua/);
    assert.doesNotMatch(after!, /garua|CNI|10\.86/);
  });
});
