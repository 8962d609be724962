import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainerFixture, mountsBelow } from '../fixture';

describe('container: one that another host has', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    const mounts = [{ type: 'volume', source: 'state', target: '/state' } as const];
    await fixture.deploy({ command: ['sleep', '1000'], mounts });
  });
  afterEach(() => fixture?.destroy());

  const idOf = () => (fixture.database.prepare('SELECT id FROM containers').get() as { id: string }).id;

  async function nothingIsLeft(): Promise<void> {
    assert.deepEqual(await fixture.engine.list(), []);
    assert.deepEqual(await readdir(fixture.directory.join('volumes')), []);
    assert.deepEqual(await readdir(fixture.directory.join('containers')), []);
    assert.deepEqual(await mountsBelow(fixture.path), []);
  }

  it('is ended and removed with its volumes, and only it', async () => {
    const id = idOf();
    await fixture.engine.moves.discard('another');
    assert.equal((await fixture.engine.get('box')).state, 'running');
    await fixture.engine.moves.discard(id);
    await nothingIsLeft();
    await fixture.engine.moves.discard(id);
  });

  for (const how of ['the same process', 'the next one'] as const) {
    it(`is released to its end by ${how} when that is cut off before its volumes are gone`, async () => {
      const departure = await fixture.engine.moves.depart('box', 'migration');
      await departure.freeze();
      departure.offer();
      const volume = join(fixture.directory.path, 'volumes/state');
      // What is mounted cannot be moved out of the way.
      execFileSync('mount', ['--bind', volume, volume]);
      try {
        await assert.rejects(departure.release());
      } finally {
        execFileSync('umount', [volume]);
      }
      assert.deepEqual(await readdir(fixture.directory.join('volumes')), ['state']);
      if (how === 'the same process') await departure.release();
      else {
        await fixture.close();
        await fixture.open();
        assert.equal(await fixture.engine.moves.departure(departure.id), undefined);
      }
      await nothingIsLeft();
    });
  }

  it('is taken away later when it could not be at once', async () => {
    const volume = join(fixture.directory.path, 'volumes/state');
    execFileSync('mount', ['--bind', volume, volume]);
    try {
      await assert.rejects(fixture.engine.moves.discard(idOf()));
      await fixture.engine.moves.recover();
      assert.equal((await fixture.engine.list()).length, 1);
    } finally {
      execFileSync('umount', [volume]);
    }
    await fixture.engine.moves.recover();
    await nothingIsLeft();
  });
});
