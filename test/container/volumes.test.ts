import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestImage } from './fixture';
import { ContainerFixture } from './fixture';

const execute = promisify(execFile);

describe('container: volumes', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  const mounts = [{ type: 'volume' as const, source: 'database', target: '/data' }];
  const content = (...parts: string[]) => fixture.directory.join('volumes', 'database', 'data', ...parts);

  /** An image that has files of another user at /data. */
  async function imageWithData(): Promise<TestImage> {
    const layer = await fixture.layer('data', { 'data/first': 'from the image\n', 'data/deep/second': 'x' });
    await chown(join(layer.path, 'data'), 1000, 1001);
    await chmod(join(layer.path, 'data'), 0o2750);
    await chown(join(layer.path, 'data/first'), 1000, 1001);
    await chmod(join(layer.path, 'data/first'), 0o640);
    await symlink('first', join(layer.path, 'data/link'));
    return fixture.image({}, [layer]);
  }

  it('are filled from the image at their first use, owners and modes included', async () => {
    const { stdout } = await fixture.run(
      "stat -c '%u:%g %a' /data /data/first; cat /data/link; ls /data/deep",
      { mounts, user: 'web' },
      await imageWithData(),
    );
    assert.deepEqual(stdout, ['1000:1001 2750', '1000:1001 640', 'from the image', 'second']);
  });

  it('are empty where the image has nothing', async () => {
    assert.deepEqual((await fixture.run("ls /data; stat -c '%u %a' /data", { mounts })).stdout, ['0 755']);
  });

  it('outlive their containers, which find again what was written, and are not filled again', async () => {
    const image = await imageWithData();
    await fixture.run('echo kept > /data/own; busybox rm /data/first', { mounts }, image);
    await fixture.engine.remove('box');
    await fixture.close();
    await fixture.open();
    assert.equal(await readFile(content('own'), 'utf8'), 'kept\n');
    const { stdout } = await fixture.run('cat /data/own; ls /data', { mounts, name: 'other' }, image);
    assert.deepEqual(stdout, ['kept', 'deep', 'link', 'own']);
  });

  it('can be shared, and mounted read-only', async () => {
    await fixture.deploy({ command: ['sh', '-c', 'echo hello > /data/x; sleep 60'], mounts, name: 'writer' });
    const reader = [{ ...mounts[0]!, readOnly: true }];
    const script = 'until grep hello /data/x 2>/dev/null; do sleep 0.05; done; touch /data/y';
    const { stdout, stderr } = await fixture.run(script, { mounts: reader });
    assert.deepEqual(stdout, ['hello']);
    assert.match(stderr.join(), /Read-only/);
  });

  it('are listed with those that use them, and removed only when nobody does', async () => {
    assert.deepEqual(await fixture.engine.volumes(), []);
    await fixture.deploy({ command: ['true'], mounts });
    await fixture.engine.wait('box');
    const [volume, ...more] = await fixture.engine.volumes();
    assert.deepEqual(more, []);
    assert.deepEqual([volume!.name, volume!.path, volume!.usedBy], ['database', content(), ['box']]);
    await assert.rejects(fixture.engine.removeVolume('database'), {
      code: 'ERR_VOLUME_IN_USE',
      message: /database is used by box/,
    });
    await fixture.engine.remove('box');
    assert.deepEqual((await fixture.engine.volumes())[0]!.usedBy, []);
    await fixture.engine.removeVolume('database');
    assert.deepEqual(await readdir(fixture.directory.join('volumes')), []);
    await assert.rejects(fixture.engine.removeVolume('database'), { code: 'ERR_VOLUME_NOT_FOUND' });
    await assert.rejects(fixture.engine.removeVolume('../containers'), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('are one when two containers use a new one at the same time', async () => {
    const image = await imageWithData();
    const names = ['a', 'b', 'c'];
    await Promise.all(names.map((name) => fixture.deploy({ command: ['true'], mounts, name }, image)));
    assert.deepEqual((await fixture.engine.volumes())[0]!.usedBy.sort(), names);
    assert.deepEqual(await readdir(fixture.directory.join('volumes')), ['database']);
  });

  it('are filled anew when a crash came in the middle of it', async () => {
    const { image, layers } = await imageWithData();
    const tools = join(fixture.path, 'tools');
    await mkdir(tools);
    // Copies one file, then takes its parent, the owner of the data directory, down.
    const script = '#!/bin/sh\nfor last; do :; done\necho half > "$last/first"\nkill -9 $PPID\n';
    await writeFile(join(tools, 'cp'), script, { mode: 0o755 });
    await fixture.close();
    const spec = { image: image.ref, name: 'box', network: 'none', mounts, command: ['cat', '/data/first'] };
    const document = join(fixture.path, 'document.json');
    await writeFile(document, JSON.stringify({ directory: fixture.directory.path, spec, image, layers }));
    const env = { ...process.env, PATH: `${tools}:${process.env.PATH}` };
    const owner = execute(process.execPath, [join(__dirname, 'owner.js'), document], { env });
    await assert.rejects(owner, { signal: 'SIGKILL' });
    const [half] = await readdir(fixture.directory.join('volumes'));
    assert.ok(half?.startsWith('.database.'), half);

    await fixture.open();
    assert.deepEqual(await readdir(fixture.directory.join('volumes')), []);
    const { stdout } = await fixture.run('cat /data/first; ls /data', { mounts }, { image, layers });
    assert.deepEqual(stdout, ['from the image', 'deep', 'first', 'link']);
  });

  it('leave nothing behind that cannot be filled, and the container is not made', async () => {
    const image = await imageWithData();
    const tools = join(fixture.path, 'tools');
    await mkdir(tools);
    await writeFile(join(tools, 'cp'), '#!/bin/sh\necho "cp: no space left" >&2\nexit 1\n', { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = `${tools}:${path}`;
    try {
      await assert.rejects(fixture.deploy({ command: ['true'], mounts }, image), /no space left/);
    } finally {
      process.env.PATH = path;
    }
    assert.deepEqual(await readdir(fixture.directory.join('volumes')), []);
    assert.deepEqual(await fixture.engine.list(), []);
  });

  it('do not follow a link of the image out of it', async () => {
    const outside = join(fixture.path, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'of the host');
    const layer = await fixture.layer('link');
    await symlink(outside, join(layer.path, 'data'));
    const { stdout } = await fixture.run('ls /data', { mounts }, await fixture.image({}, [layer]));
    assert.deepEqual(stdout, []);
    assert.deepEqual(await readdir(content()), []);
  });

  it('keep other users of the host out', async () => {
    await fixture.run('true', { mounts });
    assert.equal((await stat(fixture.directory.join('volumes'))).mode & 0o777, 0o700);
  });
});
