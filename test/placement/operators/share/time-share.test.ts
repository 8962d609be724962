import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { TimeShare } from '../../../../lib/placement/operators/share';

describe('placement, the time share of an operator', () => {
  it('lets messages pass at once while the operator is within its share', () => {
    const delivered: number[] = [];
    const share = new TimeShare<number>({ share: 1, now: () => 0, deliver: (each) => delivered.push(each) });
    for (let each = 0; each < 10; each += 1) {
      assert.ok(share.offer(each));
      share.charge(1);
    }
    assert.deepEqual(
      delivered,
      Array.from({ length: 10 }, (_, each) => each),
    );
    assert.equal(share.waiting, 0);
    share.close();
  });

  it('lets the messages of a greedy operator wait, in order, and loses none', async () => {
    let now = 0;
    const delivered: number[] = [];
    const share = new TimeShare<number>({
      share: 0.5,
      burstMs: 10,
      now: () => now,
      deliver: (each) => {
        delivered.push(each);
        share.charge(20);
      },
    });
    for (let each = 0; each < 20; each += 1) share.offer(each);
    assert.deepEqual(delivered, [0]);
    while (delivered.length < 20) {
      now += 5;
      await delay(1);
    }
    assert.deepEqual(
      delivered,
      Array.from({ length: 20 }, (_, each) => each),
    );
    // 20 messages of 20 ms at half a core; the first came from the burst.
    assert.ok(now >= 19 * 40 - 40, `${now} ms`);
  });

  it('keeps to the share over a long time, whatever the cost of messages', () => {
    let now = 0;
    let used = 0;
    const share = new TimeShare<number>({
      share: 0.25,
      now: () => now,
      deliver: (cost) => {
        used += cost;
        share.charge(cost);
      },
    });
    for (let round = 0; round < 300; round += 1) {
      for (let each = 0; each < 3; each += 1) share.offer(1 + ((round * 7 + each * 13) % 40));
      now += 20;
      share.charge(0, 0);
    }
    assert.ok(used <= 0.25 * now + 50 + 40, `${used} of ${now} ms`);
    assert.ok(used >= 0.25 * now * 0.5, `${used} of ${now} ms`);
    share.close();
  });

  it('reserves the expected cost of messages whose cost is not known yet', () => {
    let delivered = 0;
    const share = new TimeShare<number>({
      share: 0.1,
      burstMs: 10,
      now: () => 0,
      deliver: () => {
        delivered += 1;
      },
    });
    for (let each = 0; each < 1000; each += 1) share.offer(each);
    assert.ok(delivered >= 90 && delivered <= 110, `${delivered} by the first guess of 0.1 ms each`);
    share.close();
  });

  it('refuses what exceeds the waiting room, and tells upstream before', () => {
    const pressure: boolean[] = [];
    const share = new TimeShare<number>({
      share: 0.01,
      burstMs: 1,
      limit: 8,
      now: () => 0,
      deliver: () => share.charge(1000),
      onPressure: (isHigh) => pressure.push(isHigh),
    });
    const accepted = Array.from({ length: 20 }, (_, each) => share.offer(each));
    assert.equal(accepted.filter(Boolean).length, 9, 'one is served, eight wait');
    assert.deepEqual(pressure, [true]);
    assert.equal(share.close().length, 8);
    assert.equal(share.offer(1), false, 'a closed one takes nothing');
  });

  it('says when upstream may go on', async () => {
    let now = 0;
    const pressure: boolean[] = [];
    const share = new TimeShare<number>({
      share: 1,
      burstMs: 1,
      limit: 8,
      now: () => now,
      deliver: () => share.charge(5),
      onPressure: (isHigh) => pressure.push(isHigh),
    });
    for (let each = 0; each < 9; each += 1) share.offer(each);
    while (share.waiting > 0) {
      now += 5;
      await delay(1);
    }
    assert.deepEqual(pressure, [true, false]);
    share.close();
  });

  it('serves at once when its share grows', () => {
    let now = 0;
    const delivered: number[] = [];
    const share = new TimeShare<number>({
      share: 0.001,
      burstMs: 1,
      now: () => now,
      deliver: (each) => {
        delivered.push(each);
        share.charge(1.5);
      },
    });
    share.offer(1);
    share.offer(2);
    now = 10;
    assert.deepEqual(delivered, [1]);
    share.share = 1;
    now = 20;
    share.share = 1;
    assert.deepEqual(delivered, [1, 2]);
    share.close();
    assert.throws(() => new TimeShare({ share: 0, deliver: () => {} }), { code: 'ERR_INVALID_ARGUMENT' });
  });
});
