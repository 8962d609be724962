import assert from 'node:assert/strict';
import { PlacementInfeasibleError, type PlacementModel, place } from '../../lib/placement';

/** Two sites of 4 cores, 10 ms apart; two operators that stream from one to the other. */
function pair(change: (model: PlacementModel) => void): PlacementModel {
  const model: PlacementModel = {
    sites: [
      { id: 'north', cpu: 4, memory: 100 },
      { id: 'south', cpu: 4, memory: 100 },
    ],
    links: [{ from: 'north', to: 'south', latencyMs: 10, bandwidthMbps: 8 }],
    operators: [
      { id: 'a', cpu: 1, memory: 10 },
      { id: 'b', cpu: 1, memory: 10 },
    ],
    streams: [{ from: 'a', to: 'b', rate: 10, bytes: 1000 }],
    weights: { latency: 1, traffic: 1 },
  };
  change(model);
  return model;
}

const more = (model: PlacementModel, count: number, cpu: number, memory: number) => {
  for (let index = 0; index < count; index += 1) model.operators.push({ id: `m${index}`, cpu, memory });
};

const CASES: { name: string; change: (model: PlacementModel) => void; message: RegExp }[] = [
  {
    name: 'an operator larger than every site',
    change: ({ operators }) => {
      operators[0]!.cpu = 5;
    },
    message: /operator a needs cpu 5, more than any site where it may run has \(north has 4\)/,
  },
  {
    name: 'an operator larger than the site it is pinned to',
    change: ({ operators, sites }) => {
      Object.assign(operators[1]!, { memory: 101, pin: 'south' });
      sites[0]!.memory = 999;
    },
    message: /operator b needs memory 101, more than the site it is pinned to has \(south has 100\)/,
  },
  {
    name: 'an operator that no site can give both cpu and memory',
    change: ({ operators, sites }) => {
      Object.assign(operators[0]!, { cpu: 3, memory: 80 });
      sites[0]!.cpu = 2;
      sites[1]!.memory = 50;
    },
    message: /operator a needs cpu 3 and memory 80, which no site where it may run has together/,
  },
  {
    name: 'an empty list of allowed sites',
    change: ({ operators }) => {
      operators[1]!.allowed = [];
    },
    message: /operator b can run nowhere: its list of allowed sites is empty/,
  },
  {
    name: 'a pin outside the allowed sites',
    change: ({ operators }) => {
      Object.assign(operators[0]!, { pin: 'north', allowed: ['south'] });
    },
    message: /operator a is pinned to north, which its allowed sites do not include/,
  },
  {
    name: 'no sites',
    change: (model) => {
      Object.assign(model, { sites: [], links: [] });
    },
    message: /operator a can run nowhere: the model has no sites/,
  },
  {
    name: 'pins that overfill a site',
    change: ({ operators }) => {
      for (const operator of operators) Object.assign(operator, { pin: 'north', cpu: 2.5 });
    },
    message: /operators pinned to north \(a, b\) need cpu 5, more than the 4 there/,
  },
  {
    name: 'allowed sites that overfill a group of sites',
    change: (model) => {
      model.sites.push({ id: 'east', cpu: 99, memory: 999 });
      more(model, 3, 3, 1);
      for (const operator of model.operators.slice(2)) operator.allowed = ['south', 'north'];
    },
    message: /operators that can run only at north, south \(m0, m1, m2\) need cpu 9, more than the 8 there/,
  },
  {
    name: 'total demand over total capacity',
    change: (model) => more(model, 10, 0.1, 20),
    message: /all operators together need memory 220, more than the 200 of all sites together/,
  },
  {
    name: 'no path between pinned ends',
    change: ({ operators, links }) => {
      links.length = 0;
      operators[0]!.pin = 'north';
      operators[1]!.pin = 'south';
    },
    message: /stream a -> b: there is no path from north to south/,
  },
  {
    name: 'no path between pinned ends, over an operator that is free',
    change: (model) => {
      model.links.length = 0;
      model.operators[0]!.pin = 'north';
      model.operators.push({ id: 'c', cpu: 1, memory: 1, pin: 'south' });
      model.streams.push({ from: 'b', to: 'c', rate: 1, bytes: 1 });
    },
    message: /stream b -> c: there is no path from north to south/,
  },
  {
    name: 'a stream wider than the only path',
    change: ({ operators, streams }) => {
      operators[0]!.pin = 'north';
      operators[1]!.pin = 'south';
      streams[0]!.bytes = 200_000;
    },
    message: /stream a -> b needs a bandwidth of 16 Mbit\/s, but the path from north to south has 8/,
  },
  {
    name: 'pinned streams that overload a link together',
    change: (model) => {
      model.operators[0]!.pin = 'north';
      model.operators[1]!.pin = 'south';
      model.operators.push({ id: 'c', cpu: 1, memory: 1, pin: 'south' });
      model.streams[0]!.bytes = 60_000;
      model.streams.push({ from: 'a', to: 'c', rate: 10, bytes: 60_000 });
    },
    message: /link north -> south: the streams a -> b, a -> c need a bandwidth of 9\.6 Mbit\/s, it has 8/,
  },
  {
    name: 'operators that cannot be packed (cpu)',
    change: (model) => {
      model.operators = [];
      model.streams = [];
      more(model, 3, 2.5, 1);
    },
    message: /no placement meets cpu: the 3 operators, .* do not fit into the cpu of the 2 sites/,
  },
  {
    name: 'operators that cannot be packed (memory)',
    change: (model) => more(model, 3, 0, 60),
    message: /no placement meets memory: the 5 operators, .* do not fit into the memory of the 2 sites/,
  },
  {
    name: 'operators that may not be apart nor together',
    change: ({ operators, streams }) => {
      for (const operator of operators) operator.cpu = 3;
      streams[0]!.bytes = 50_000;
      streams.push({ ...streams[0]!, bytes: 70_000 });
    },
    message: /no placement meets together bandwidth: .*north -> south.*; and cpu: the 2 operators/,
  },
];

describe('placement of an infeasible model', () => {
  for (const { name, change, message } of CASES) {
    for (const exact of [false, true]) {
      it(`${name}${exact ? ' (exact)' : ''}`, async () => {
        await assert.rejects(place(pair(change), { exact, evaluations: 5000 }), (error: Error) => {
          assert.ok(error instanceof PlacementInfeasibleError, String(error));
          assert.equal(error.code, 'ERR_PLACEMENT_INFEASIBLE');
          assert.match(error.message, message);
          return true;
        });
      });
    }
  }

  it('the models of these cases are feasible without the change', async () => {
    assert.equal((await place(pair(() => {}))).objective, 0);
  });

  it('room for all to the last digit is room enough', async () => {
    const model = pair((each) => {
      each.sites[0]!.cpu = 0.3;
      each.sites[1]!.cpu = 0.3;
      each.operators = [];
      each.streams = [];
      more(each, 6, 0.1, 1);
    });
    assert.equal((await place(model)).feasible, true);
    assert.equal((await place(model, { exact: true })).feasible, true);
  });
});
