import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainerFixture, eventually, mountsBelow } from './fixture';

describe('container: mounts', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  async function folder(name: string, files: Record<string, string> = {}): Promise<string> {
    const path = join(fixture.path, name);
    await mkdir(path, { recursive: true });
    for (const [file, content] of Object.entries(files)) await writeFile(join(path, file), content);
    return path;
  }

  it('in memory hold what they may, run no programs, and go with the container', async () => {
    const mounts = [{ type: 'tmpfs' as const, target: '/scratch', size: 1 << 20 }];
    const { stdout } = await fixture.run(
      `grep ' /scratch ' /proc/mounts; dd if=/dev/zero of=/scratch/x bs=64k count=32 2>&1 | grep -o 'No space left'
       busybox cp /bin/busybox /scratch/b 2>/dev/null; echo '#!/bin/sh' > /scratch/p; busybox chmod 755 /scratch/p; /scratch/p || echo no`,
      { mounts },
    );
    assert.match(stdout[0]!, /tmpfs rw,nosuid,nodev,noexec.*size=1024k/);
    assert.deepEqual(stdout.slice(1), ['No space left', 'no']);
    await fixture.engine.start('box');
    await fixture.engine.wait('box');
    await eventually(async () => (await mountsBelow(fixture.path)).length === 0);
  });

  it('come in the order of their depth, whatever order they were given in', async () => {
    const outer = await folder('outer', { who: 'outer\n' });
    const inner = await folder('inner', { who: 'inner\n' });
    const mounts = [
      { source: inner, target: '/srv/deep/inner' },
      { type: 'tmpfs' as const, target: '/srv/deep' },
      { source: outer, target: '/srv' },
    ];
    const { stdout } = await fixture.run('cat /srv/who /srv/deep/inner/who; ls /srv/deep', { mounts });
    assert.deepEqual(stdout, ['outer', 'inner', 'inner']);
  });

  it('over /etc keep the container’s own name files, unless they are read-only', async () => {
    const etc = await folder('etc', { passwd: 'root:x:0:0::/:/bin/sh\n', hosts: 'theirs\n' });
    const script =
      'grep -c root /etc/passwd; grep -q theirs /etc/hosts || grep -q localhost /etc/hosts && echo own';
    const mounts = [{ source: etc, target: '/etc' }];
    assert.deepEqual((await fixture.run(script, { mounts })).stdout, ['1', 'own']);
    const readOnly = [{ source: etc, target: '/etc', readOnly: true }];
    const { stdout } = await fixture.run('cat /etc/hosts', { mounts: readOnly, name: 'other' });
    assert.deepEqual(stdout, ['theirs']);
    assert.equal(await readFile(join(etc, 'hosts'), 'utf8'), 'theirs\n');
  });

  it('a link of the image at the target leads nowhere but into the container', async () => {
    const outside = await folder('outside');
    const source = await folder('source', { file: 'mounted\n' });
    const layer = await fixture.layer('links');
    await symlink(outside, join(layer.path, 'absolute'));
    await symlink(`../../../../../../../..${outside}`, join(layer.path, 'relative'));
    for (const target of ['/absolute', '/relative', '/absolute/below']) {
      const mounts = [{ source, target }];
      const script = `cat ${target}/file; sleep 60`;
      const image = await fixture.image({ StopSignal: 'SIGKILL' }, [layer]);
      await fixture.deploy({ command: ['sh', '-c', script], mounts, name: 'links' }, image);
      for await (const { text } of fixture.engine.logs('links', { follow: true })) {
        assert.equal(text, 'mounted', target);
        break;
      }
      assert.deepEqual(
        (await mountsBelow(fixture.path)).filter((path) => path.startsWith(outside)),
        [],
      );
      assert.deepEqual(await readFile(join(outside, 'file')).catch(({ code }) => code), 'ENOENT');
    }
  });

  it('a link of the host as source is followed when it is mounted, and a missing source is named', async () => {
    const source = await folder('real', { file: 'real\n' });
    await symlink(source, join(fixture.path, 'link'));
    const mounts = [{ source: join(fixture.path, 'link'), target: '/data' }];
    assert.deepEqual((await fixture.run('cat /data/file', { mounts })).stdout, ['real']);
    const missing = [{ source: join(fixture.path, 'none'), target: '/data' }];
    await assert.rejects(fixture.deploy({ command: ['true'], mounts: missing }), {
      code: 'ERR_CONTAINER_MOUNT_SOURCE_MISSING',
      message: /none, to be mounted at \/data/,
    });
  });

  it('stay writable under a root that is not', async () => {
    const mounts = [
      { source: await folder('given'), target: '/given' },
      { type: 'volume' as const, source: 'kept', target: '/kept' },
      { type: 'tmpfs' as const, target: '/run/mine' },
    ];
    const { stdout, stderr } = await fixture.run(
      'for d in / /etc /bin /tmp /given /kept /run/mine /dev/shm; do touch $d/x && echo $d; done; true',
      { mounts, readOnlyRoot: true },
    );
    assert.deepEqual(stdout, ['/given', '/kept', '/run/mine', '/dev/shm']);
    assert.equal(stderr.filter((line) => /Read-only file system/.test(line)).length, 4);
    await fixture.engine.start('box');
    await fixture.engine.wait('box');
  });

  it('leave nothing of the host’s mounts to be seen', async () => {
    const { stdout } = await fixture.run('cat /proc/self/mountinfo');
    const points = stdout.map((line) => line.split(' ')[4]!);
    assert.equal(points[0], '/');
    const own = /^\/(proc|dev|sys|etc\/(hosts|hostname|resolv\.conf))(\/|$)|^\/$/;
    assert.deepEqual(
      points.filter((path) => !own.test(path)),
      [],
    );
  });
});
