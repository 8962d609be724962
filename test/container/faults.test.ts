import assert from 'node:assert/strict';
import { chmod, cp, link, mkdir, readdir, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerSpec } from '../../lib/container';
import { ContainerFixture, mountsBelow, type TestImage } from './fixture';

/** The start of a program for IBM Z: ELF, 64 bits, big endian, e_machine 22. */
const ALIEN = Buffer.from(`\x7fELF\x02\x02\x01${'\0'.repeat(9)}\0\x02\0\x16`, 'latin1');

describe('container: what goes wrong', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
  });
  afterEach(() => fixture.destroy());

  async function refuses(spec: Partial<ContainerSpec>, code: string, message: RegExp, test?: TestImage) {
    await assert.rejects(fixture.deploy(spec, test), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, code, error.stack);
      assert.match(error.message, message);
      assert.ok(error.hint);
      return true;
    });
    assert.deepEqual(await fixture.engine.list(), []);
    assert.deepEqual(await readdir(fixture.directory.join('containers')), []);
    assert.deepEqual(await mountsBelow(fixture.path), []);
  }

  it('has no command', () => refuses({}, 'ERR_CONTAINER_NO_COMMAND', /busy:1/));
  it('has a command that is nowhere on PATH', () =>
    refuses({ command: ['nonesuch'] }, 'ERR_CONTAINER_COMMAND_NOT_FOUND', /nonesuch/));
  it('has a command that is a folder', () =>
    refuses({ command: ['/etc'] }, 'ERR_CONTAINER_COMMAND_NOT_EXECUTABLE', /not a file/));
  it('has a command that is a link out of the image', async () => {
    const layer = await fixture.layer('link');
    await symlink('../../../../../../../../usr/sbin/runc', join(layer.path, 'escape'));
    await refuses(
      { command: ['/escape'] },
      'ERR_CONTAINER_COMMAND_NOT_FOUND',
      /escape/,
      await fixture.image({}, [layer]),
    );
  });
  it('has a command that is not executable', async () => {
    const layer = await fixture.layer('plain', { 'opt/plain': 'text' });
    await chmod(join(layer.path, 'opt/plain'), 0o644);
    const image = await fixture.image({}, [layer]);
    await refuses({ command: ['/opt/plain'] }, 'ERR_CONTAINER_COMMAND_NOT_EXECUTABLE', /permission/, image);
  });
  it('has a command in a mount that is not executable', async () => {
    const folder = join(fixture.path, 'mounted');
    await mkdir(folder);
    await writeFile(join(folder, 'plain'), 'text', { mode: 0o644 });
    const mounts = [{ source: folder, target: '/opt' }];
    await refuses({ command: ['/opt/plain'], mounts }, 'ERR_CONTAINER_COMMAND_NOT_EXECUTABLE', /permission/);
  });
  it('has a command for another kind of machine', async () => {
    const layer = await fixture.layer('alien');
    await writeFile(join(layer.path, 'alien'), ALIEN, { mode: 0o755 });
    const image = await fixture.image({}, [layer]);
    await refuses({ command: ['/alien'] }, 'ERR_CONTAINER_WRONG_ARCHITECTURE', /s390x/, image);
  });
  it('has a script whose interpreter is missing', async () => {
    const image = await fixture.image({}, [
      await fixture.layer('script', { 'opt/s': '#! /opt/python -u\n' }),
    ]);
    await refuses(
      { command: ['/opt/s'] },
      'ERR_CONTAINER_COMMAND_NOT_EXECUTABLE',
      /interpreter \/opt\/python/,
      image,
    );
  });
  it('has a program whose dynamic linker is missing', async () => {
    const layer = await fixture.layer('dynamic');
    // This Node's own binary needs the C library, which the image lacks.
    await link(process.execPath, join(layer.path, 'dynamic')).catch(() =>
      cp(process.execPath, join(layer.path, 'dynamic')),
    );
    const image = await fixture.image({}, [layer]);
    await refuses(
      { command: ['/dynamic'] },
      'ERR_CONTAINER_COMMAND_NOT_EXECUTABLE',
      /dynamic linker .*ld-linux/,
      image,
    );
  });
  it('has a command that is plain text', async () => {
    const image = await fixture.image({}, [await fixture.layer('text', { 'opt/text': 'words\n' })]);
    await refuses(
      { command: ['/opt/text'] },
      'ERR_CONTAINER_COMMAND_NOT_EXECUTABLE',
      /neither a program/,
      image,
    );
  });
  it('has a user that the image does not know', () =>
    refuses({ command: ['id'], user: 'nobody2' }, 'ERR_CONTAINER_USER_NOT_FOUND', /nobody2/));
  it('has a group that the image does not know', () =>
    refuses({ command: ['id'], user: 'web:nogroup' }, 'ERR_CONTAINER_USER_NOT_FOUND', /nogroup/));
  it('mounts what is not there', () =>
    refuses(
      { command: ['id'], mounts: [{ source: '/no/such', target: '/x' }] },
      'ERR_CONTAINER_MOUNT_SOURCE_MISSING',
      /\/no\/such/,
    ));
  it('lacks a layer', async () => {
    const image = await fixture.image();
    image.layers.push({ type: 'overlay-lower', path: join(fixture.path, 'gone') });
    await refuses({ command: ['id'] }, 'ERR_CONTAINER_LAYER_MISSING', /gone/, image);
  });

  for (const tool of ['runc', 'conmon']) {
    it(`misses ${tool}`, async () => {
      const path = process.env.PATH;
      const other = join(fixture.path, 'tools');
      await mkdir(other);
      // The other of the two is there.
      const present = tool === 'runc' ? 'conmon' : 'runc';
      await writeFile(join(other, present), `#!/bin/sh\nPATH='${path}' exec ${present} "$@"\n`, {
        mode: 0o755,
      });
      process.env.PATH = other;
      try {
        await refuses({ command: ['id'] }, 'ERR_TOOL_MISSING', new RegExp(tool));
      } finally {
        process.env.PATH = path;
      }
    });
  }

  it('is called off before it began', async () => {
    const { image, layers } = await fixture.image();
    const signal = AbortSignal.abort();
    const spec = { image: image.ref, name: 'box', command: ['sleep', '9'] };
    await assert.rejects(fixture.engine.deploy(spec, image, layers, { signal }), { code: 'ERR_ABORTED' });
    assert.deepEqual(await readdir(fixture.directory.join('containers')), []);
  });

  it('is unknown', async () => {
    for (const call of ['get', 'start', 'stop', 'remove', 'wait'] as const) {
      await assert.rejects(fixture.engine[call]('nobody'), {
        code: 'ERR_CONTAINER_NOT_FOUND',
        message: /nobody/,
      });
    }
  });

  it('has two engines on two data directories, which know nothing of each other', async () => {
    const other = await ContainerFixture.create();
    try {
      await fixture.deploy({ command: ['sleep', '60'] });
      await other.deploy({ command: ['sleep', '60'] });
      await other.engine.remove('box', { force: true, graceMs: 0 });
      assert.equal((await fixture.engine.get('box')).state, 'running');
    } finally {
      await other.destroy();
    }
  });

  it('says why a restart failed', async () => {
    const folder = join(fixture.path, 'folder');
    await mkdir(folder);
    await fixture.run('true', { mounts: [{ source: folder, target: '/x' }] });
    await rmdir(folder);
    await assert.rejects(fixture.engine.start('box'), { code: 'ERR_CONTAINER_MOUNT_SOURCE_MISSING' });
    const { state, reason } = await fixture.engine.get('box');
    assert.equal(state, 'failed');
    assert.match(reason!, /^could not start: mounts: /);
    assert.deepEqual(await mountsBelow(fixture.path), []);
  });
});
