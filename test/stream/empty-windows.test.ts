import { equal, ok } from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseWindowSpec, WindowEngine } from '../../lib/stream';

describe('empty windows', () => {
  it('of one long jump of time are not kept until its end', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const engine = new WindowEngine(
      parseWindowSpec({ type: 'tumbling', size: 1, emptyWindows: true, outOfOrderness: 0 }),
    );
    const count = 300_000;
    engine.add({ time: 0 });
    engine.add({ time: count });
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < count - 1; n += 1) ok(engine.next());
    collectGarbage();
    const kept = process.memoryUsage().heapUsed - before;
    ok(kept < 10e6, `${kept} bytes are kept`);
    ok(engine.next());
    equal(engine.next(), undefined);
  });
});
