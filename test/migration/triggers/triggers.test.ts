import { deepEqual, equal, match } from 'node:assert/strict';
import {
  Balance,
  Consolidate,
  Evacuate,
  Follow,
  MakeRoom,
  parseSelection,
} from '../../../lib/migration/triggers';
import { container, host, view } from './view';

const MB = 1 << 20;
const all = parseSelection('');

describe('follow', () => {
  const options = { container: 'box', forMs: 10_000, marginMs: 5, nearer: 0.2 };
  const near = (here: number, quay: number) => view({ latencies: { here, quay, tower: 200 } });

  it('moves once another site has been nearer for long enough', () => {
    const trigger = new Follow(options);
    equal(trigger.decide(near(50, 10), 0), undefined);
    equal(trigger.nearest, 'quay');
    equal(trigger.decide(near(50, 10), 9_999), undefined);
    deepEqual(trigger.decide(near(50, 10), 10_000), {
      container: 'box',
      to: 'quay',
      reason: 'quay is nearer: 10 ms instead of 50 ms',
    });
    equal(trigger.decide(near(50, 10), 10_001), undefined, 'and waits anew');
  });

  it('does not take a way that was not measured yet for none', () => {
    const to = (latencies: Record<string, number | null>) =>
      new Follow({ ...options, forMs: 0 }).decide(view({ latencies }), 0)?.to;
    equal(to({ here: null, quay: 10 }), undefined);
    equal(to({ here: 50, quay: null }), undefined);
    equal(to({ quay: 10 }), 'quay', 'there is no way from here');
  });

  it('begins to wait anew when the way from here is short again', () => {
    const trigger = new Follow(options);
    trigger.decide(near(50, 10), 0);
    for (let now = 1_000; now <= 5_000; now += 1_000) trigger.decide(near(5, 10), now);
    equal(trigger.decide(near(50, 10), 10_000), undefined);
  });

  it('does not mind one slow answer', () => {
    const trigger = new Follow(options);
    for (let now = 0; now < 10_000; now += 1_000) trigger.decide(near(50, now === 5_000 ? 60 : 10), now);
    equal(trigger.decide(near(50, 10), 10_000)?.to, 'quay');
  });

  it('stays for less than the margins', () => {
    for (const [here, quay] of [
      [14, 10],
      [100, 85],
    ] as const) {
      const trigger = new Follow(options);
      trigger.decide(near(here, quay), 0);
      equal(trigger.decide(near(here, quay), 60_000), undefined);
    }
  });

  it('leaves a site that does not reach the user any more', () => {
    const trigger = new Follow(options);
    const cutOff = view({ latencies: { quay: 10 } });
    trigger.decide(near(5, 10), 0);
    trigger.decide(cutOff, 1_000);
    match(trigger.decide(cutOff, 11_000)?.reason ?? '', /10 ms instead of no way/);
  });

  it('begins to wait when the container comes', () => {
    const trigger = new Follow(options);
    const latencies = { here: 50, quay: 10 };
    trigger.decide(view({ latencies, containers: [] }), 0);
    equal(trigger.decide(near(50, 10), 30_000), undefined);
    equal(trigger.decide(near(50, 10), 40_000)?.to, 'quay');
  });

  it('waits while the container is not here, rests, or would have no room', () => {
    for (const change of [
      { containers: [] },
      { containers: [container('box', { mayMove: false })] },
      { others: [host('quay', { freeMemory: MB }), host('tower')] },
    ]) {
      const trigger = new Follow(options);
      const latencies = { here: 50, quay: 10 };
      trigger.decide(view({ latencies, ...change }), 0);
      equal(trigger.decide(view({ latencies, ...change }), 20_000), undefined);
    }
  });
});

describe('evacuate', () => {
  it('waits until the trouble has lasted, and takes what matters most first', () => {
    const trigger = new Evacuate({ selection: all, forMs: 5_000 });
    const containers = [container('small'), container('important', { priority: 3 })];
    const troubled = view({ containers, troubles: ['the supply voltage is too low'] });
    equal(trigger.decide(troubled, 0), undefined);
    equal(trigger.decide(view({ containers }), 4_000), undefined, 'for a moment only');
    equal(trigger.decide(troubled, 6_000), undefined);
    deepEqual(trigger.decide(troubled, 11_000), {
      container: 'important',
      to: 'quay',
      reason: 'the supply voltage is too low',
    });
  });

  it('begins at once when it is told to, and takes only what is meant', () => {
    const trigger = new Evacuate({ selection: parseSelection('app=web, service=db, lone'), forMs: 5_000 });
    trigger.isAsked = true;
    const moves = ['other', 'web', 'data', 'lone'].map((name) => {
      const labels: Record<string, string> = name === 'web' ? { app: 'web' } : {};
      const service = name === 'data' ? 'db' : null;
      return trigger.decide(view({ containers: [container(name, { labels, service })] }), 0)?.container;
    });
    deepEqual(moves, [undefined, 'web', 'data', 'lone']);
  });

  it('passes over what has no room, and by hosts that are full', () => {
    const trigger = new Evacuate({ selection: all, forMs: 0 });
    trigger.isAsked = true;
    const containers = [container('huge', { memory: 900 * MB, priority: 1 }), container('box')];
    const others = [host('quay', { freeMemory: 100 * MB }), host('tower', { freeMemory: 800 * MB })];
    deepEqual(
      [trigger.decide(view({ containers, others }), 0)].map((one) => [one?.container, one?.to]),
      [['box', 'tower']],
    );
  });
});

describe('balance', () => {
  const options = { selection: all, high: 0.85, low: 0.6, forMs: 60_000 };
  const busy = host('here', { freeCpus: 0.2 });
  const containers = [container('light'), container('heavy', { cpus: 1.2 }), container('all', { cpus: 2.4 })];

  it('moves what helps most without making the other host what this one is', () => {
    const trigger = new Balance(options);
    equal(trigger.decide(view({ self: busy, containers }), 0), undefined);
    const { container: moved, to, reason } = trigger.decide(view({ self: busy, containers }), 60_000)!;
    deepEqual([moved, to, reason], ['heavy', 'quay', 'here is at 95 % of its processor']);
    equal(trigger.decide(view({ self: busy, containers }), 60_001), undefined, 'until the load tells');
  });

  it('goes by memory where that is short', () => {
    const trigger = new Balance({ ...options, forMs: 0 });
    const full = host('here', { freeMemory: 100 * MB });
    const both = [container('thinker', { cpus: 1, memory: MB }), container('keeper', { memory: 500 * MB })];
    equal(trigger.decide(view({ self: full, containers: both }), 0)?.container, 'keeper');
  });

  it('leaves all in place where all are busy, or the load was short', () => {
    const trigger = new Balance(options);
    const others = [host('quay', { freeCpus: 1.4 })];
    trigger.decide(view({ self: busy, containers, others }), 0);
    equal(trigger.decide(view({ self: busy, containers, others }), 90_000), undefined);
    const calm = new Balance(options);
    calm.decide(view({ self: busy, containers }), 0);
    calm.decide(view({ containers }), 30_000);
    equal(calm.decide(view({ self: busy, containers }), 60_000), undefined);
  });
});

describe('consolidate', () => {
  const options = { selection: all, idle: 0.2, high: 0.85, forMs: 1_000 };
  const idle = host('here', { freeCpus: 3.9 });
  const containers = [container('a', { cpus: 0 }), container('b', { cpus: 0 })];

  it('empties an idle host onto a busier one, one container after another', () => {
    const trigger = new Consolidate(options);
    equal(trigger.decide(view({ self: idle, containers }), 0), undefined);
    equal(trigger.decide(view({ self: idle, containers }), 1_000)?.container, 'a');
    const rest = [container('a', { cpus: 0, mayMove: false }), containers[1]!];
    equal(trigger.decide(view({ self: idle, containers: rest }), 1_001)?.container, 'b');
    equal(trigger.decide(view({ self: idle, containers: [] }), 2_000), undefined);
  });

  it('is done by only one of two hosts that are idle', () => {
    const moves = ['here', 'quay'].map((name) => {
      const [self, other] = [name, name === 'here' ? 'quay' : 'here'].map((one) =>
        host(one, { freeCpus: 3.9 }),
      );
      const trigger = new Consolidate({ ...options, forMs: 0 });
      return trigger.decide(view({ self: self!, others: [other!], containers }), 0)?.to;
    });
    deepEqual(moves, ['quay', undefined]);
  });

  it('moves nothing where not all have room', () => {
    const trigger = new Consolidate({ ...options, forMs: 0 });
    const others = [host('quay', { freeMemory: 900 * MB })];
    equal(trigger.decide(view({ self: idle, others, containers }), 0), undefined);
  });
});

describe('make room', () => {
  const options = { selection: all, memory: 200 * MB, forMs: 1_000 };
  const containers = [
    container('least', { priority: -1 }),
    container('normal', { memory: 300 * MB }),
    container('important', { priority: 5, memory: 900 * MB }),
  ];

  it('moves the least important away while memory is short for the important one', () => {
    const trigger = new MakeRoom(options);
    const short = view({ self: host('here', { freeMemory: 100 * MB }), containers });
    equal(trigger.decide(short, 0), undefined);
    equal(trigger.decide(short, 1_000)?.container, 'least');
    const equals = view({ ...short, containers: [containers[1]!, container('other')] });
    trigger.decide(equals, 2_000);
    equal(trigger.decide(equals, 9_000), undefined, 'of equals none gives way');
  });

  it('makes as much room as is wanted', () => {
    const trigger = new MakeRoom(options);
    trigger.want = { memory: 500 * MB, priority: 3 };
    const self = host('here', { freeMemory: 300 * MB });
    equal(trigger.decide(view({ self, containers }), 0)?.reason, 'room for priority 3');
    equal(trigger.decide(view({ containers }), 1), undefined);
    equal(trigger.want, undefined);
  });
});
