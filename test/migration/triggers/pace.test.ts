import { deepEqual, equal } from 'node:assert/strict';
import { Evacuate, Pace, parseSelection, Watcher } from '../../../lib/migration/triggers';
import { container, host, view } from './view';

const MINUTE = 60_000;
const GB = 1 << 30;

function evacuation(most = 1): Watcher {
  const trigger = new Evacuate({ selection: parseSelection(''), forMs: 0 });
  trigger.isAsked = true;
  return new Watcher(trigger, new Pace({ most, restMs: MINUTE }));
}

describe('the pace of moves', () => {
  it('lets a container rest after a move, and longer after each failure', () => {
    const pace = new Pace({ most: 2, restMs: MINUTE });
    const move = (hasMoved: boolean, now: number) => {
      pace.began('box');
      equal(pace.mayMove('box', now), false, 'never twice at once');
      pace.ended('box', 'quay', hasMoved, now);
    };
    move(true, 0);
    deepEqual([pace.mayMove('box', MINUTE - 1), pace.mayMove('box', MINUTE)], [false, true]);
    move(false, MINUTE);
    move(false, 2 * MINUTE);
    deepEqual([pace.mayMove('box', 3 * MINUTE - 1), pace.mayMove('box', 3 * MINUTE)], [false, true]);
    for (let failures = 0; failures < 2_000; failures += 1) move(false, 0);
    deepEqual([pace.mayMove('box', 29 * MINUTE), pace.mayMove('box', 30 * MINUTE)], [false, true]);
  });

  it('forgets a container that has gone, once it has rested', () => {
    const pace = new Pace({ most: 1, restMs: 0 });
    pace.began('box');
    pace.ended('box', 'quay', false, 0);
    pace.keep(new Set(), 10_000);
    equal(pace.mayMove('box', 10_000), false);
    pace.keep(new Set(), MINUTE);
    pace.began('box');
    pace.ended('box', 'quay', false, MINUTE);
    equal(pace.mayMove('box', 2 * MINUTE), true, 'as after a first failure');
  });

  it('is kept by all decisions', () => {
    const watcher = evacuation(2);
    const full = view({ containers: ['a', 'b', 'c'].map((name) => container(name)) });
    const first = watcher.look(full, 0);
    deepEqual(
      first.map((decision) => decision.container),
      ['a', 'b'],
    );
    deepEqual(watcher.look(full, 1), []);
    watcher.ended(first[0]!, false, 2);
    deepEqual(
      watcher.look(full, 3).map((decision) => decision.container),
      ['c'],
    );
  });

  it('tries another host than the one that refused, until a while later', () => {
    const watcher = evacuation();
    const here = view({ others: [host('quay', { freeMemory: 3.5 * GB }), host('tower')] });
    const look = (now: number) => watcher.look(here, now)[0];
    const first = look(0)!;
    equal(first.to, 'quay');
    watcher.ended(first, false, 1);
    const second = look(MINUTE)!;
    equal(second.to, 'tower');
    watcher.ended(second, false, MINUTE);
    equal(look(5 * MINUTE), undefined, 'nobody is left');
    equal(look(12 * MINUTE)?.to, 'quay');
  });

  it('sees the room that those who are on their way will need, and no host of another processor', () => {
    const containers = ['a', 'b', 'c'].map((name) => container(name, { memory: GB }));
    const others = [
      host('quay', { freeMemory: 1.5 * GB }),
      host('tower', { freeMemory: 1.4 * GB }),
      host('desk', { arch: 'x64' }),
    ];
    deepEqual(
      evacuation(3)
        .look(view({ containers, others }), 0)
        .map(({ container, to }) => `${container} ${to}`),
      ['a quay', 'b tower'],
    );
  });
});
