import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { mknod } from '../../lib/base';
import { ContainerFixture, type TestImage } from './fixture';

const CHARACTER_DEVICE = 0o020000;

describe('container: what it sees inside', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  it('joins variables: defaults, the image’s, then the caller’s', async () => {
    const image = await fixture.image({ Env: ['A=image', 'B=image', 'PATH=/bin:/sbin'] });
    const { stdout } = await fixture.run(
      'env',
      { env: { B: 'caller', EMPTY: '' }, hostname: 'box-1' },
      image,
    );
    for (const line of ['A=image', 'B=caller', 'EMPTY=', 'PATH=/bin:/sbin', 'HOSTNAME=box-1', 'HOME=/root']) {
      assert.ok(stdout.includes(line), `${line} is not in ${stdout}`);
    }
  });

  it('has Docker’s PATH when nobody sets one', async () => {
    const { stdout } = await fixture.run('echo $PATH');
    assert.deepEqual(stdout, ['/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']);
  });

  const commands: [string, Parameters<ContainerFixture['deploy']>[0], string[]][] = [
    ['the image’s entrypoint and command', {}, ['entry', 'standard']],
    ['another command for the entrypoint', { command: ['other'] }, ['entry', 'other']],
    ['another entrypoint, which drops the command', { entrypoint: ['echo', 'mine'] }, ['mine']],
    ['both from the caller', { entrypoint: ['echo'], command: ['x', 'y'] }, ['x', 'y']],
    ['no entrypoint at all', { entrypoint: [], command: ['echo', 'plain'] }, ['plain']],
  ];
  for (const [what, spec, words] of commands) {
    it(`runs ${what}`, async () => {
      const image = await fixture.image({ Entrypoint: ['echo', 'entry'], Cmd: ['standard'] });
      await fixture.deploy(spec, image);
      await fixture.engine.wait('box');
      const lines: string[] = [];
      for await (const { text } of fixture.engine.logs('box')) lines.push(text);
      assert.deepEqual(lines, [words.join(' ')]);
    });
  }

  it('makes its working directory, and begins there', async () => {
    const image = await fixture.image({ WorkingDir: '/srv/new' });
    assert.deepEqual((await fixture.run('pwd', {}, image)).stdout, ['/srv/new']);
    assert.deepEqual((await fixture.run('pwd', { workingDirectory: '/opt/mine' }, image)).stdout, [
      '/opt/mine',
    ]);
  });

  const users: [string, string][] = [
    ['web', 'uid=1000(web) gid=1001(web) groups=997(gpio),1001(web)'],
    ['1000', 'uid=1000(web) gid=1001(web) groups=997(gpio),1001(web)'],
    ['web:gpio', 'uid=1000(web) gid=997(gpio) groups=997(gpio)'],
    ['4242', 'uid=4242 gid=0(root) groups=0(root)'],
    ['4242:77', 'uid=4242 gid=77 groups=77'],
  ];
  for (const [user, expected] of users) {
    it(`runs as user ${user}`, async () => {
      const { stdout } = await fixture.run('id; echo $HOME', { user });
      assert.deepEqual(normalizeGroups(stdout[0]!), expected);
      assert.equal(stdout[1], expected.includes('web)') ? '/srv' : '/');
    });
  }

  it('has more groups, by the image’s names or by number', async () => {
    const { stdout } = await fixture.run('id -G', { user: 'web:web', groups: ['gpio', '4712', '997'] });
    assert.deepEqual(stdout[0]!.split(' ').sort(), ['1001', '4712', '997']);
    await assert.rejects(fixture.run('true', { groups: ['spi'] }), {
      code: 'ERR_CONTAINER_USER_NOT_FOUND',
      message: /^groups: .*no group named spi/,
    });
  });

  it('knows more hosts by name, the one it runs on among them', async () => {
    const extraHosts = { 'db.local': '192.0.2.7', v6: '2001:db8::7', host: 'host-gateway' };
    const script = 'grep -E "db.local|v6|host$" /etc/hosts | grep -v localhost | busybox tr "\\t" " "';
    const shared = await fixture.run(script, { network: 'host', extraHosts });
    const expected = ['192.0.2.7 db.local', '2001:db8::7 v6', '127.0.0.1 host'];
    for (const line of expected)
      assert.ok(shared.stdout.includes(line), `${line} is not in ${shared.stdout}`);
    const bridged = await fixture.run(
      `${script}; busybox ip route | grep -o 'via [0-9.]*'; busybox ping -c 1 -W 5 host | grep -c ttl`,
      { network: 'bridge', extraHosts, name: 'bridged' },
    );
    assert.ok(bridged.stdout.includes('10.86.0.1 host'));
    assert.deepEqual(bridged.stdout.slice(-2), ['via 10.86.0.1', '1']);
  });

  it('takes the user from the image, and reads no passwd file outside of it', async () => {
    const layer = await fixture.layer('passwd');
    await mkdir(join(layer.path, 'etc'));
    const outside = join(fixture.path, 'outside');
    await writeFile(outside, 'evil:x:4711:4711::/:/bin/sh\n');
    await symlink(`../../../../../../../../..${outside}`, join(layer.path, 'etc/passwd'));
    const image = await fixture.image({ User: 'evil' }, [layer]);
    await assert.rejects(fixture.run('id', {}, image), { code: 'ERR_CONTAINER_USER_NOT_FOUND' });
  });

  it('has its own host name and name files, or with the host’s network the host’s', async () => {
    const script =
      'hostname; cat /etc/hostname; grep -c localhost /etc/hosts; grep -q $(hostname) /etc/hosts && echo known';
    const alone = await fixture.run(script, { name: 'web_1' });
    assert.deepEqual([alone.stdout[0], alone.stdout[1], alone.stdout.at(-1)], ['web-1', 'web-1', 'known']);
    const shared = await fixture.run(`cat /etc/resolv.conf; ${script}`, { network: 'host' });
    assert.deepEqual([shared.stdout.at(-3) !== '0', shared.stdout.at(-4)], [true, hostname()]);
    const resolver = (await readFile('/etc/resolv.conf', 'utf8')).trimEnd().split('\n');
    assert.deepEqual(shared.stdout.slice(0, resolver.length), resolver);
  });

  it('sees only loopback without a network, and all of the host’s interfaces with it', async () => {
    const count = 'grep -c : /proc/net/dev';
    assert.deepEqual((await fixture.run(count)).stdout, ['1']);
    const here = (await readFile('/proc/net/dev', 'utf8'))
      .split('\n')
      .filter((line) => line.includes(':')).length;
    assert.deepEqual((await fixture.run(count, { network: 'host' })).stdout, [String(here)]);
  });

  it('shares folders and files of the host, read-only where asked', async () => {
    const folder = join(fixture.path, 'shared');
    await mkdir(folder);
    await writeFile(join(folder, 'given'), 'from the host\n');
    const mounts = [
      { source: folder, target: '/data/rw' },
      { source: folder, target: '/data/ro', readOnly: true },
      { source: join(folder, 'given'), target: '/etc/secret', readOnly: true },
    ];
    const script =
      'cat /data/ro/given /etc/secret; touch /data/ro/x && echo wrong; echo made > /data/rw/made; true';
    const { stdout, stderr } = await fixture.run(script, { mounts });
    assert.deepEqual(stdout, ['from the host', 'from the host']);
    assert.match(stderr.join(), /Read-only file system/);
    assert.equal(await readFile(join(folder, 'made'), 'utf8'), 'made\n');
  });

  it('shows the layers as one, whiteouts and replaced files included, and leaves them as they are', async () => {
    const upper = await fixture.layer('upper', {
      'etc/added': 'added\n',
      'etc/passwd': 'root:x:0:0::/:/bin/sh\n',
    });
    mknod(join(upper.path, 'etc/secret'), CHARACTER_DEVICE, 0, 0);
    const image = await fixture.image({}, [upper]);
    const script =
      'ls /etc/secret; cat /etc/added; wc -l < /etc/passwd; echo changed > /etc/added; stat -c %a /';
    const { stdout, stderr } = await fixture.run(script, {}, image);
    assert.deepEqual(stdout, ['added', '1', '755']);
    assert.match(stderr.join(), /No such file/);
    assert.equal(await readFile(join(upper.path, 'etc/added'), 'utf8'), 'added\n');
  });

  it('runs an image of 120 layers, from a long path', async () => {
    const image: TestImage = await fixture.image();
    for (let index = 0; index < 120; index += 1) {
      const name = `${'l'.repeat(60)}-${index}`;
      image.layers.push(await fixture.layer(name, { [`layers/${index}`]: '', top: `${index}\n` }));
    }
    const { stdout } = await fixture.run('ls /layers | wc -l; cat /top', {}, image);
    assert.deepEqual(stdout, ['120', '119']);
  });

  it('keeps what it wrote over a restart', async () => {
    await fixture.run('echo x >> /tmp/count; wc -l < /tmp/count');
    await fixture.engine.start('box');
    await fixture.engine.wait('box');
    const lines: string[] = [];
    for await (const { text } of fixture.engine.logs('box')) lines.push(text);
    assert.deepEqual(lines, ['1', '2']);
  });
});

/** The order of the groups does not matter. */
function normalizeGroups(line: string): string {
  return line.replace(
    /groups=(.*)/,
    (_, groups: string) =>
      `groups=${groups
        .split(',')
        .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
        .join(',')}`,
  );
}
