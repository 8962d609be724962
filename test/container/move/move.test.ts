import assert from 'node:assert/strict';
import { ContainerFixture } from '../fixture';
import { copyFiles, describeWithCriu, recordFor } from './support';

const COUNT = 'n=0; while :; do n=$((n+1)); echo "count $n"; echo $n > /count; sleep 0.05; done';

describeWithCriu('container: moving', () => {
  let here: ContainerFixture;
  let there: ContainerFixture;
  beforeEach(async () => {
    here = await ContainerFixture.create();
    there = await ContainerFixture.create();
  });
  afterEach(async () => {
    await here?.destroy();
    await there?.destroy();
  });

  async function lines(fixture: ContainerFixture): Promise<string[]> {
    const texts: string[] = [];
    for await (const { text } of fixture.engine.logs('box')) texts.push(text);
    return texts;
  }

  it('goes on in another data directory where it was, and its log with it', async () => {
    await here.deploy({ command: ['sh', '-c', COUNT] });
    while ((await lines(here)).length < 5) await new Promise((resolve) => setTimeout(resolve, 50));
    const departure = await here.engine.moves.depart('box', 'migration');
    const arrival = await there.engine.moves.arrive({
      purpose: 'migration',
      record: await recordFor(there, departure.record),
      address: departure.address,
    });
    await departure.dump(arrival.images);
    await copyFiles(departure, arrival);
    departure.offer();
    await arrival.restore();
    await arrival.probe();
    arrival.accept();
    await departure.release();
    const status = await arrival.commit();
    assert.equal(status.state, 'running');
    const seen = (await lines(there)).length;
    while ((await lines(there)).length < seen + 5) await new Promise((resolve) => setTimeout(resolve, 50));
    const texts = await lines(there);
    assert.deepEqual(
      texts,
      texts.map((_, index) => `count ${index + 1}`),
    );
    assert.deepEqual(await here.engine.list(), []);
  });
});
