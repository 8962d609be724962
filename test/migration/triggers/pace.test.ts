import { deepEqual, equal } from 'node:assert/strict';
import { Evacuate, Pace, parseSelection, Watcher } from '../../../lib/migration/triggers';
import { container, view } from './view';

const MINUTE = 60_000;

describe('the pace of moves', () => {
  it('lets a container rest after a move, and longer after each failure', () => {
    const pace = new Pace({ most: 2, restMs: MINUTE });
    const move = (hasMoved: boolean, now: number) => {
      pace.began('box');
      equal(pace.mayMove('box', now), false, 'never twice at once');
      pace.ended('box', hasMoved, now);
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
    pace.ended('box', false, 0);
    pace.keep(new Set(), 10_000);
    equal(pace.mayMove('box', 10_000), false);
    pace.keep(new Set(), MINUTE);
    pace.began('box');
    pace.ended('box', false, MINUTE);
    equal(pace.mayMove('box', 2 * MINUTE), true, 'as after a first failure');
  });

  it('is kept by all decisions', () => {
    const trigger = new Evacuate({ selection: parseSelection(''), forMs: 0 });
    trigger.isAsked = true;
    const watcher = new Watcher(trigger, new Pace({ most: 2, restMs: MINUTE }));
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
});
