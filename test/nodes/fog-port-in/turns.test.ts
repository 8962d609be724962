import assert from 'node:assert/strict';
import { type Ready, Turns } from '../../../nodes/fog-port-in/turns';

const ready = (n: number): Ready => ({ intake: {} as never, message: {} as never, content: { n } });
const numbers = (all: Ready[]) => all.map(({ content }) => content!.n);

/** The share is so small that it does not grow while the test runs: only what is left from the start is used. */
function turns() {
  const delivered: Ready[] = [];
  const all = new Turns({ cpu: 1e-6, deliver: (each) => delivered.push(each), onRoom: () => {} });
  return { all, delivered };
}

describe('the turns of messages into an operator', () => {
  it('come at once while the operator has time', () => {
    const { all, delivered } = turns();
    for (const n of [1, 2]) assert.ok(all.offer(ready(n)));
    assert.deepEqual(numbers(delivered), [1, 2]);
  });

  it('do not come while somebody wants the flow to rest', () => {
    const { all, delivered } = turns();
    all.hold();
    all.hold();
    assert.equal(all.offer(ready(1)), false);
    all.release();
    assert.equal(all.offer(ready(1)), false);
    all.release();
    assert.ok(all.offer(ready(1)));
    assert.deepEqual(numbers(delivered), [1]);
  });

  it('are kept in order for what waits, without what is taken out', () => {
    const { all, delivered } = turns();
    for (let n = 0; n < 10_000 && all.waiting < 5; n += 1) all.offer(ready(n));
    assert.equal(all.waiting, 5);
    const first = delivered.length;
    all.hold();
    assert.equal(all.waiting, 5);
    const out = all.takeOut(({ content }) => content!.n === first + 1 || content!.n === first + 3);
    assert.deepEqual(numbers(out), [first + 1, first + 3]);
    all.release();
    assert.deepEqual(numbers(delivered).slice(first), [first, first + 2, first + 4]);
  });
});
