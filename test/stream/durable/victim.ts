/** A process that counts events into a durable window until it is killed. */
import { DurableState, parseWindowSpec, WindowEngine } from '../../../lib/stream';

async function main(path: string): Promise<void> {
  const spec = parseWindowSpec({
    type: 'tumbling',
    size: 100,
    outOfOrderness: 0,
    aggregates: [{ op: 'sum' }, { op: 'collect' }],
  });
  const engine = new WindowEngine(spec);
  const state = await DurableState.open(engine, { path, settings: 'victim' });
  let events = 0;
  for (;;) {
    for (let n = 0; n < 100; n += 1) {
      engine.add({ time: 1, value: events });
      events += 1;
    }
    const before = events;
    const flush = state.flush();
    engine.add({ time: 1, value: events });
    events += 1;
    await flush;
    process.stdout.write(`${before}\n`);
  }
}

main(process.argv[2]!);
