import assert from 'node:assert/strict';
import { chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mknod } from '../../lib/base';
import { Policy } from '../../lib/container';
import { checkMounted } from '../../lib/container/bundle/mounted';
import { globToRegExp } from '../../lib/container/policy/glob';
import { readPolicy } from '../../lib/container/policy/read';
import { completeSpec } from '../../lib/container/spec/complete';
import { LocalHost } from '../../lib/host';
import { ContainerFixture } from './fixture';

const CHARACTER_DEVICE = 0o020000;

describe('container: the host’s policy', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  const file = () => fixture.directory.join('policy.json');
  const write = (policy: unknown) =>
    writeFile(file(), typeof policy === 'string' ? policy : JSON.stringify(policy), { mode: 0o644 });
  type Spec = Parameters<ContainerFixture['deploy']>[0];
  const deploy = (spec: Spec) => fixture.deploy({ command: ['true'], ...spec });
  const refused =
    (code: string, ...words: (string | RegExp)[]) =>
    (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, code, error.message);
      for (const word of words) assert.match(`${error.message} ${error.hint}`, new RegExp(word));
      return true;
    };

  it('without a file allows all but capabilities and privileges, and says how to allow those', async () => {
    await deploy({ mounts: [{ source: '/etc/hostname', target: '/etc/x' }], network: 'host', devices: [] });
    await assert.rejects(
      deploy({ capabilities: { add: ['SYS_ADMIN'] } }),
      refused(
        'ERR_POLICY_CAPABILITY',
        'CAP_SYS_ADMIN',
        '"capabilities": \\["CAP_SYS_ADMIN"\\]',
        'policy.json',
      ),
    );
    await assert.rejects(
      deploy({ privileged: true }),
      refused('ERR_POLICY_PRIVILEGED', '/etc/garua/policy.json', '"privileged": true'),
    );
    await assert.rejects(deploy({ capabilities: { add: ['ALL'] } }), refused('ERR_POLICY_CAPABILITY', 'ALL'));
    // What is Docker's default anyway needs nobody's leave.
    await deploy({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } });
    (await fixture.engine.policy()).checkRestore();
    assert.deepEqual((await fixture.engine.policy()).peers, {
      containers: true,
      flows: true,
      objects: true,
      services: true,
    });
  });

  it('allows mounts below its folders only, wherever links lead', async () => {
    const [allowed, other, lookalike] = ['allowed', 'other', 'allowed2'].map((name) =>
      join(fixture.path, name),
    );
    for (const path of [allowed!, other!, lookalike!]) await mkdir(join(path, 'sub'), { recursive: true });
    await symlink(other!, join(allowed!, 'escape'));
    await symlink(allowed!, join(fixture.path, 'alias'));
    await symlink(join(allowed!, 'sub'), join(other!, 'inwards'));
    await write({ mounts: [join(fixture.path, 'alias'), join(fixture.path, 'not-there')] });
    const mount = (source: string) => deploy({ mounts: [{ source, target: '/data' }] });
    for (const source of [
      allowed!,
      join(allowed!, 'sub'),
      join(fixture.path, 'alias/sub'),
      join(other!, 'inwards'),
    ]) {
      await mount(source);
    }
    const wrong = [
      other!,
      lookalike!,
      fixture.path,
      '/',
      join(allowed!, 'escape'),
      join(allowed!, 'escape/sub'),
    ];
    for (const source of wrong)
      await assert.rejects(mount(source), refused('ERR_POLICY_MOUNT', file()), source);
    await assert.rejects(mount(`${allowed}/../other`), { code: 'ERR_INVALID_ARGUMENT' });
    await deploy({
      mounts: [
        { type: 'volume', source: 'v', target: '/v' },
        { type: 'tmpfs', target: '/t' },
      ],
    });
  });

  it('mounts the path that it judged', async () => {
    const [allowed, secret] = [join(fixture.path, 'allowed'), join(fixture.path, 'secret')];
    await mkdir(allowed);
    await mkdir(secret);
    await writeFile(join(allowed, 'file'), 'allowed\n');
    const link = join(fixture.path, 'link');
    await symlink(allowed, link);
    await write({ mounts: [allowed] });
    const mounts = [{ source: link, target: '/data' }];
    assert.deepEqual((await fixture.run('cat /data/file', { mounts })).stdout, ['allowed']);
    await rm(link);
    await symlink(secret, link);
    await assert.rejects(fixture.engine.start('box'), refused('ERR_POLICY_MOUNT', secret));
  });

  it('starts nothing when a link was exchanged between judgement and mount', async () => {
    const [allowed, secret] = [join(fixture.path, 'allowed'), join(fixture.path, 'secret')];
    for (const path of [allowed, secret]) await mkdir(join(path, 'sub'), { recursive: true });
    const link = join(fixture.path, 'link');
    const linkTo = async (path: string) => {
      await rm(link, { force: true });
      await symlink(path, link);
    };
    const mounts = [{ source: `${link}/sub`, target: '/data' }];
    await linkTo(secret);
    const { container } = await fixture.deploy({ command: ['sleep', '60'], mounts });
    await write({ mounts: [allowed] });
    const check = async () =>
      checkMounted(completeSpec({ image: 'web', mounts }), container.pid!, await fixture.engine.policy());
    await assert.rejects(check(), refused('ERR_POLICY_MOUNT', secret));
    // As if it had led here while it was judged.
    await linkTo(allowed);
    await assert.rejects(check(), refused('ERR_CONTAINER_MOUNT_CHANGED', 'link/sub'));
    await rm(file());
    await check();
  });

  it('allows devices by pattern, also those found in a folder', async () => {
    const folder = join(fixture.path, 'dev');
    await mkdir(folder);
    for (const [name, minor] of [
      ['gpiochip0', 3],
      ['sda', 5],
    ] as const) {
      mknod(join(folder, name), CHARACTER_DEVICE | 0o600, 1, minor);
    }
    await symlink(join(folder, 'sda'), join(folder, 'gpiochip9'));
    await write({ devices: [join(folder, 'gpiochip*')] });
    const device = (source: string) => deploy({ devices: [{ source, target: '/dev/x' }] });
    await device(join(folder, 'gpiochip0'));
    await assert.rejects(device(join(folder, 'sda')), refused('ERR_POLICY_DEVICE', 'sda', file()));
    await assert.rejects(
      device(join(folder, 'gpiochip9')),
      refused('ERR_POLICY_DEVICE', 'gpiochip9.*which is.*sda'),
    );
    await assert.rejects(device(folder), refused('ERR_POLICY_DEVICE'));
  });

  it('allows a device by the name of a link only below /dev, which is root’s', () => {
    const policy = new Policy({ path: 'p', document: { devices: ['/dev/serial/by-id/*', '/home/pi/*'] } });
    policy.checkDevice('/dev/serial/by-id/usb-meter', '/dev/ttyUSB0');
    assert.throws(() => policy.checkDevice('/home/pi/mine', '/dev/sda'), { code: 'ERR_POLICY_DEVICE' });
    assert.throws(() => policy.checkDevice('/dev/sda', '/dev/sda'), { code: 'ERR_POLICY_DEVICE' });
  });

  it('allows networks and images', async () => {
    await write({ networks: ['bridge'], images: ['registry.test/team/*'] });
    await assert.rejects(deploy({ network: 'host' }), refused('ERR_POLICY_NETWORK', '"host"', file()));
    await write({ networks: ['none'], images: ['registry.test/team/*'] });
    await deploy({ network: 'none' });
    await fixture.engine.wait('box');
    await write({ images: ['registry.test/other/*', 'registry.test/*'] });
    await assert.rejects(
      fixture.engine.start('box'),
      refused('ERR_POLICY_IMAGE', 'registry.test/team/busy:1'),
    );
  });

  it('lets a host neither pull nor deploy from elsewhere, also without an engine', async () => {
    await fixture.close();
    await write({ images: ['docker.io/library/*'] });
    const host = await LocalHost.open({ dataDirectory: fixture.directory.path });
    try {
      const image = `oci:${fixture.path}/image`;
      await assert.rejects(host.pull(image), refused('ERR_POLICY_IMAGE', image));
      await assert.rejects(host.resolveImage(image), refused('ERR_POLICY_IMAGE', image));
      await assert.rejects(host.deploy({ image }), refused('ERR_POLICY_IMAGE', image));
      await assert.rejects(host.deploy({ image, privileged: true }), refused('ERR_POLICY_PRIVILEGED'));
    } finally {
      await host.close();
      await fixture.open();
    }
  });

  it('gives capabilities and privileges where it says so', async () => {
    await write({ capabilities: ['NET_ADMIN'], privileged: false });
    const { stdout } = await fixture.run('grep CapEff /proc/self/status', {
      capabilities: { add: ['NET_ADMIN'] },
    });
    assert.equal(BigInt(`0x${stdout[0]!.split(/\s+/)[1]}`) & (1n << 12n), 1n << 12n);
    await assert.rejects(
      deploy({ capabilities: { add: ['SYS_TIME'] } }),
      refused('ERR_POLICY_CAPABILITY', 'SYS_TIME'),
    );
    await assert.rejects(deploy({ privileged: true }), refused('ERR_POLICY_PRIVILEGED', file()));
    await write({ privileged: true });
    await deploy({ privileged: true });
  });

  it('is read anew at each deploy and each start', async () => {
    await deploy({ network: 'host' });
    await fixture.engine.wait('box');
    await write({ networks: ['bridge', 'none'] });
    await assert.rejects(fixture.engine.start('box'), refused('ERR_POLICY_NETWORK'));
    await rm(file());
    await fixture.engine.start('box');
  });

  const faults: [string, () => Promise<unknown>, RegExp][] = [
    ['is not JSON', () => write('{"mounts": ['), /not JSON/],
    ['is a list', () => write([]), /policy: is not a set/],
    ['has an unknown field', () => write({ mount: [] }), /policy\.mount: is not a known field/],
    ['has a field of another kind', () => write({ privileged: 'yes' }), /policy\.privileged/],
    ['has a relative folder', () => write({ mounts: ['srv'] }), /policy\.mounts\[0\].*absolute/],
    ['climbs out of a folder', () => write({ mounts: ['/srv/../etc'] }), /"\.\."/],
    ['names an unknown capability', () => write({ capabilities: ['FLY'] }), /FLY/],
    ['has a broken pattern', () => write({ devices: ['/dev/[z-a]'] }), /not a pattern/],
    ['misspells what peers may do', () => write({ peers: { container: true } }), /policy\.peers\.container/],
    [
      'belongs to another user',
      () => write({}).then(() => chown(file(), 1000, 0)),
      /does not belong to root/,
    ],
    ['can be written by its group', () => write({}).then(() => chmod(file(), 0o664)), /may write/],
    ['can be written by everybody', () => write({}).then(() => chmod(file(), 0o646)), /may write/],
    ['is a folder', () => mkdir(file()), /not a file/],
    [
      'lies in a folder of others',
      () => write({}).then(() => chmod(fixture.directory.path, 0o777)),
      /exchange it/,
    ],
  ];
  for (const [what, make, fault] of faults) {
    it(`allows nothing while its file ${what}`, async () => {
      await deploy({});
      await fixture.engine.wait('box');
      await make();
      const invalid = refused('ERR_POLICY_INVALID', fault, file());
      await assert.rejects(deploy({ env: { A: '1' } }), invalid);
      await assert.rejects(fixture.engine.start('box'), invalid);
      await assert.rejects(fixture.engine.validate({ image: 'web' }), invalid);
    });
  }

  it('is that of the machine where the data directory has none', async () => {
    const machine = join(fixture.path, 'machine.json');
    await writeFile(machine, '{"networks": ["none"], "peers": {"flows": false}}');
    const found = await readPolicy(fixture.directory, machine);
    assert.deepEqual(found.document.networks, ['none']);
    assert.deepEqual(new Policy(found).peers, {
      containers: true,
      flows: false,
      objects: true,
      services: true,
    });
    await write({ networks: ['host'] });
    assert.deepEqual((await readPolicy(fixture.directory, machine)).document.networks, ['host']);
    await write('{');
    await assert.rejects(readPolicy(fixture.directory, machine), { code: 'ERR_POLICY_INVALID' });
  });

  it('knows patterns', () => {
    const cases: [string, string[], string[]][] = [
      ['/dev/ttyUSB*', ['/dev/ttyUSB0', '/dev/ttyUSB'], ['/dev/ttyUSB0/x', '/dev/ttyACM0', 'x/dev/ttyUSB0']],
      ['/dev/i2c-[0-9]', ['/dev/i2c-1'], ['/dev/i2c-x', '/dev/i2c-11']],
      ['/dev/video?', ['/dev/video0'], ['/dev/video', '/dev/video/', '/dev/video10']],
      ['docker.io/**', ['docker.io/a/b/c:1'], ['docker.iox/a', 'dockerXio/a']],
      ['a+(b)|c[', ['a+(b)|c['], ['aab', 'c']],
    ];
    for (const [pattern, matching, others] of cases) {
      for (const text of matching) assert.ok(globToRegExp(pattern).test(text), `${pattern} ${text}`);
      for (const text of others) assert.ok(!globToRegExp(pattern).test(text), `${pattern} ${text}`);
    }
  });
});
