import assert from 'node:assert/strict';
import { PlacementModelError, parsePlacementModel, parsePlacementText, place } from '../../lib/placement';

function model(): Record<string, unknown> & {
  sites: Record<string, unknown>[];
  links: Record<string, unknown>[];
  operators: Record<string, unknown>[];
  streams: Record<string, unknown>[];
  weights: Record<string, unknown>;
} {
  return {
    sites: [
      { id: 'a', cpu: 1, memory: 1 },
      { id: 'b', cpu: 1, memory: 1 },
    ],
    links: [{ from: 'a', to: 'b', latencyMs: 1 }],
    operators: [
      { id: 'x', cpu: 0, memory: 0 },
      { id: 'y', cpu: 0, memory: 0 },
      { id: 'z', cpu: 0, memory: 0 },
    ],
    streams: [{ from: 'x', to: 'y', rate: 1, bytes: 1 }],
    weights: { latency: 1, traffic: 1 },
  };
}

type Change = (document: ReturnType<typeof model>) => void;

const REFUSED: [message: string, change: Change][] = [
  ['sites must be a list', (document) => Object.assign(document, { sites: {} })],
  ['links must be a list', (document) => Object.assign(document, { links: undefined })],
  ['weights must be an object', (document) => Object.assign(document, { weights: [] })],
  [
    'weights.traffic must be a number of at least 0',
    ({ weights }) => Object.assign(weights, { traffic: '1' }),
  ],
  ['weights.resources must be', ({ weights }) => Object.assign(weights, { resources: -1 })],
  ['sites[1] must be an object', ({ sites }) => sites.splice(1, 1, 7 as never)],
  ['sites[1].id must be a string', ({ sites }) => Object.assign(sites[1]!, { id: '' })],
  ['sites[1].id: "a" is taken already', ({ sites }) => Object.assign(sites[1]!, { id: 'a' })],
  ['sites[0].cpu must be', ({ sites }) => Object.assign(sites[0]!, { cpu: undefined })],
  ['sites[0].memory must be', ({ sites }) => Object.assign(sites[0]!, { memory: Number.NaN })],
  ['sites[0].cost must be', ({ sites }) => Object.assign(sites[0]!, { cost: 'cheap' })],
  ['links[0].to: there is no site "c"', ({ links }) => Object.assign(links[0]!, { to: 'c' })],
  ['links[0].from must be the id of a site', ({ links }) => Object.assign(links[0]!, { from: 1 })],
  ['links[0]: a link from "a" to itself', ({ links }) => Object.assign(links[0]!, { to: 'a' })],
  ['links[0].latencyMs must be', ({ links }) => Object.assign(links[0]!, { latencyMs: -1 })],
  ['links[0].bandwidthMbps must be', ({ links }) => Object.assign(links[0]!, { bandwidthMbps: -1 })],
  ['links[1] goes from "a" to "b" as links[0] does', ({ links }) => links.push({ ...links[0]! })],
  ['operators[2].id: "x" is taken already', ({ operators }) => Object.assign(operators[2]!, { id: 'x' })],
  ['operators[0].cpu must be', ({ operators }) => Object.assign(operators[0]!, { cpu: Infinity })],
  ['operators[1].pin: there is no site "c"', ({ operators }) => Object.assign(operators[1]!, { pin: 'c' })],
  ['operators[1].allowed must be a list', ({ operators }) => Object.assign(operators[1]!, { allowed: 'a' })],
  [
    'operators[1].allowed[1]: there is no site "c"',
    ({ operators }) => Object.assign(operators[1]!, { allowed: ['a', 'c'] }),
  ],
  ['streams[0].to: there is no operator "a"', ({ streams }) => Object.assign(streams[0]!, { to: 'a' })],
  ['streams[0].rate must be', ({ streams }) => Object.assign(streams[0]!, { rate: null })],
  ['streams[0].bytes must be', ({ streams }) => Object.assign(streams[0]!, { bytes: -5 })],
  ['current must be an object', (document) => Object.assign(document, { current: 'a' })],
  ['current["x"] must be a site id', (document) => Object.assign(document, { current: { x: 1 } })],
  ['moveCost must be', (document) => Object.assign(document, { moveCost: -1 })],
];

describe('placement model', () => {
  for (const [message, change] of REFUSED) {
    it(`refused: ${message}`, () => {
      const document = model();
      change(document);
      assert.throws(
        () => parsePlacementModel(document),
        (error: PlacementModelError) => {
          assert.ok(error instanceof PlacementModelError);
          assert.equal(error.code, 'ERR_PLACEMENT_MODEL');
          assert.ok(error.message.startsWith(message), error.message);
          return true;
        },
      );
    });
  }

  it('takes what the contract knows, null for absent, and leaves notes alone', () => {
    const document = { ...model(), note: 'mine', current: { x: 'a', old: 'gone' }, moveCost: null };
    Object.assign(document.operators[0]!, { pin: null, allowed: ['a'] });
    const parsed = parsePlacementModel(document);
    assert.deepEqual(parsed.operators[0], { id: 'x', cpu: 0, memory: 0, pin: undefined, allowed: ['a'] });
    assert.deepEqual(parsed.current, { x: 'a', old: 'gone' });
    assert.equal(parsed.moveCost, undefined);
    assert.ok(!('note' in parsed));
  });

  it('text that is not JSON', () => {
    assert.throws(() => parsePlacementText('{"sites": ['), /the model is not JSON/);
  });

  it('names that objects have anyway are names like others', async () => {
    const document = model();
    for (const operator of document.operators)
      operator.id = { x: '__proto__', y: 'constructor', z: 'toString' }[operator.id as 'x'];
    document.streams = [{ from: '__proto__', to: 'constructor', rate: 1, bytes: 1 }];
    const text = JSON.stringify(document).replace(
      '"weights"',
      '"current":{"__proto__":"b"},"moveCost":5,"weights"',
    );
    const { placement, objective } = await place(text);
    assert.deepEqual(Object.keys(placement), ['__proto__', 'constructor', 'toString']);
    assert.equal(Object.entries(placement)[0]![1], 'b');
    assert.equal(objective, 0);
  });

  it('a cycle of streams is named', async () => {
    const document = model();
    document.streams = [
      { from: 'x', to: 'y', rate: 1, bytes: 1 },
      { from: 'y', to: 'z', rate: 1, bytes: 1 },
      { from: 'z', to: 'y', rate: 1, bytes: 1 },
    ];
    await assert.rejects(place(document as never), (error: PlacementModelError) => {
      assert.ok(error instanceof PlacementModelError, String(error));
      assert.match(error.message, /streams form a cycle: (y -> z -> y|z -> y -> z)$/);
      return true;
    });
    document.streams = [{ from: 'x', to: 'x', rate: 1, bytes: 1 }];
    await assert.rejects(place(document as never), /streams form a cycle: x -> x$/);
  });
});
