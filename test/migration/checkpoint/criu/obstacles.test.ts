import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerSpec } from '../../../../lib/container';
import { CriuCheckpointer } from '../../../../lib/migration/checkpoint';
import { ContainerFixture } from '../../../container/fixture';
import { describeWithCriu } from '../../../container/move/support';

describeWithCriu('migration: what keeps a container from being checkpointed', () => {
  const checkpointer = new CriuCheckpointer();
  let fixture: ContainerFixture;
  before(async () => {
    fixture = await ContainerFixture.create();
  });
  after(() => fixture?.destroy());

  async function reasons(spec: Partial<ContainerSpec>): Promise<string[]> {
    await fixture.deploy({
      command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'],
      ...spec,
    });
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    try {
      return await checkpointer.check(departure);
    } finally {
      await departure.resume();
    }
  }

  it('nothing does with a usual one', async () => {
    assert.deepEqual(await reasons({}), []);
  });

  it('a device does, and the checkpoint is refused while the container runs on', async () => {
    const spec = { devices: [{ source: '/dev/fuse' }] };
    assert.deepEqual(await reasons(spec), ['it uses the device /dev/fuse, whose state stays with this host']);
    const departure = await fixture.engine.moves.depart('box', 'checkpoint');
    await assert.rejects(checkpointer.checkpoint(departure, await departure.imagesFolder()), {
      code: 'ERR_CHECKPOINT_REFUSED',
      message: /container box cannot be checkpointed: it uses the device \/dev\/fuse/,
    });
    assert.equal((await departure.resume()).state, 'running');
  });

  it('a command that was sent into it does', async () => {
    await fixture.deploy({ command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'] });
    const end = new AbortController();
    const command = (async () => {
      for await (const _ of fixture.engine.exec('box', ['sleep', '1000'], { signal: end.signal }));
    })();
    try {
      const found: string[] = [];
      for (let tries = 0; tries < 20 && found.length === 0; tries += 1) {
        await delay(200);
        found.push(...(await reasons({})));
      }
      assert.match(found.join(), /^a command was sent into it that still runs: sleep \(\d+\)$/);
    } finally {
      end.abort();
      await command;
    }
    assert.deepEqual(await reasons({}), []);
  });
});
