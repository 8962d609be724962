import assert from 'node:assert/strict';
import { chmod, chown, mkdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mknod } from '../../lib/base';
import { ContainerFixture } from './fixture';

const CHARACTER_DEVICE = 0o020000;
const [NULL, ZERO] = [3, 5];
const GPIO_GROUP = 4711;

describe('container: devices', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  /** A stand-in for hardware: the kernel's null or zero under another name. */
  async function device(name: string, minor: number, mode = 0o660, group = GPIO_GROUP): Promise<string> {
    const path = join(fixture.path, name);
    mknod(path, CHARACTER_DEVICE | mode, 1, minor);
    await chmod(path, mode);
    await chown(path, 0, group);
    return path;
  }
  const readOne = (path: string) => `dd if=${path} bs=1 count=1 2>/dev/null | wc -c`;

  it('are there under the wanted name, with mode, owner and numbers of the host', async () => {
    const source = await device('sensor', ZERO);
    const devices = [{ source, target: '/dev/bus/gpiochip0' }];
    const { stdout } = await fixture.run(
      `stat -c '%F %a %u:%g %t:%T' /dev/bus/gpiochip0; ${readOne('/dev/bus/gpiochip0')}; echo x > /dev/bus/gpiochip0 && echo written`,
      { devices },
    );
    assert.deepEqual(stdout, [`character special file 660 0:${GPIO_GROUP} 1:5`, '1', 'written']);
  });

  it('open for a user who is not root, through the group they have on the host', async () => {
    const source = await device('sensor', ZERO);
    const devices = [{ source, target: '/dev/gpiochip0' }];
    const { stdout, status } = await fixture.run(`id -G; ${readOne('/dev/gpiochip0')}`, {
      devices,
      user: 'web',
    });
    assert.ok(stdout[0]!.split(' ').includes(String(GPIO_GROUP)));
    assert.deepEqual([stdout[1], status.exitCode], ['1', 0]);
  });

  it('never bring root’s group', async () => {
    const source = await device('sensor', ZERO, 0o660, 0);
    const devices = [{ source, target: '/dev/gpiochip0' }];
    const { stdout } = await fixture.run(`id -G; ${readOne('/dev/gpiochip0')}`, { devices, user: 'web' });
    assert.ok(!stdout[0]!.split(' ').includes('0'));
    assert.equal(stdout[1], '0');
  });

  it('can be for reading or writing only, whoever asks', async () => {
    // FUSE, of which no container has anything by itself; whoever may open it may read and write.
    const source = join(fixture.path, 'fuse');
    mknod(source, CHARACTER_DEVICE | 0o600, 10, 229);
    const read = [{ source, target: '/dev/one', permissions: 'r' }];
    const { stdout } = await fixture.run(
      'busybox sh -c ": < /dev/one" && echo reads; busybox sh -c ": > /dev/one" 2>&1 | grep -o "not permitted"',
      { devices: read, name: 'b' },
    );
    assert.deepEqual(stdout, ['reads', 'not permitted']);
    const write = [{ source, target: '/dev/one', permissions: 'w' }];
    const turned = await fixture.run(
      'busybox sh -c ": > /dev/one" && echo writes; busybox sh -c ": < /dev/one" 2>&1 | grep -o "not permitted"',
      { devices: write, name: 'c' },
    );
    assert.deepEqual(turned.stdout, ['writes', 'not permitted']);
  });

  it('that were not given cannot be opened, even when a node for them is made', async () => {
    const { stdout, stderr } = await fixture.run(
      'busybox mknod /tmp/fuse c 10 229 && echo made; busybox sh -c ": < /tmp/fuse" && echo open',
    );
    assert.deepEqual(stdout, ['made']);
    assert.match(stderr.join(), /not permitted/);
  });

  it('are found through links such as those of /dev/serial/by-id, at each start anew', async () => {
    const [first, second] = [await device('ttyUSB0', NULL), await device('ttyUSB1', ZERO)];
    const link = join(fixture.path, 'by-id');
    await symlink(first, link);
    const devices = [{ source: link, target: '/dev/meter' }];
    const script = "stat -c '%t:%T' /dev/meter";
    assert.deepEqual((await fixture.run(script, { devices })).stdout, ['1:3']);
    await unlink(link);
    await symlink(second, link);
    await fixture.engine.start('box');
    await fixture.engine.wait('box');
    const lines: string[] = [];
    for await (const { text } of fixture.engine.logs('box')) lines.push(text);
    assert.deepEqual(lines, ['1:3', '1:5']);
  });

  it('come as a folder, with all that are in it', async () => {
    await mkdir(join(fixture.path, 'snd/by-path'), { recursive: true });
    await device('snd/controlC0', NULL);
    await device('snd/timer', ZERO);
    await symlink('../controlC0', join(fixture.path, 'snd/by-path/card'));
    await writeFile(join(fixture.path, 'snd/notes'), 'no device');
    const devices = [{ source: join(fixture.path, 'snd'), target: '/dev/snd' }];
    const { stdout } = await fixture.run('cd /dev/snd; stat -c "%n %t:%T" * by-path/*', { devices });
    assert.deepEqual(
      stdout.filter((line) => !line.startsWith('by-path ')),
      ['controlC0 1:3', 'timer 1:5', 'by-path/card 1:3'],
    );
  });

  it('that are missing, or none, are named before anything is stopped', async () => {
    await fixture.deploy({ command: ['sleep', '60'] });
    const { pid } = await fixture.engine.get('box');
    const file = join(fixture.path, 'file');
    await writeFile(file, '');
    await mkdir(join(fixture.path, 'empty'));
    const wrong: [string, string, RegExp][] = [
      ['/dev/no-such', 'ERR_CONTAINER_DEVICE_MISSING', /devices: \/dev\/no-such does not exist/],
      [file, 'ERR_CONTAINER_NOT_A_DEVICE', /is a file/],
      [join(fixture.path, 'empty'), 'ERR_CONTAINER_NOT_A_DEVICE', /folder without any device/],
    ];
    for (const [source, code, message] of wrong) {
      const devices = [{ source, target: '/dev/x' }];
      await assert.rejects(fixture.deploy({ command: ['sleep', '60'], devices }), { code, message });
    }
    assert.equal((await fixture.engine.get('box')).pid, pid);
  });
});
