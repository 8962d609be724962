import assert from 'node:assert/strict';
import {
  type ExpandOptions,
  expandSubflow,
  type FlowNode,
} from '../../../../lib/placement/operators/subflow';

const place = { x: 10, y: 10 };

/** A subflow with a nested one, a scoped config node, and config nodes outside. */
const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'Home' },
  {
    id: 'outer',
    type: 'subflow',
    name: 'outer',
    in: [{ wires: [{ id: 'a' }] }],
    out: [{ wires: [{ id: 'b', port: 0 }] }],
  },
  { id: 'a', type: 'mqtt out', z: 'outer', broker: 'broker', tls: 'scoped', wires: [['b']], ...place },
  { id: 'b', type: 'subflow:inner', z: 'outer', wires: [[]], ...place },
  { id: 'scoped', type: 'tls-config', z: 'outer', name: 'scoped' },
  {
    id: 'inner',
    type: 'subflow',
    name: 'inner',
    in: [{ wires: [{ id: 'c' }] }],
    out: [{ wires: [{ id: 'c', port: 0 }] }],
  },
  { id: 'c', type: 'function', z: 'inner', func: 'return msg;', host: 'host', wires: [[]], ...place },
  { id: 'broker', type: 'mqtt-broker', tls: 'outside' },
  { id: 'outside', type: 'tls-config' },
  { id: 'unused', type: 'mqtt-broker' },
  { id: 'host', type: 'fog-host' },
];

function expand(options: Partial<ExpandOptions> = {}) {
  return expandSubflow({
    flow: FLOW,
    subflow: 'outer',
    instance: { id: 'operator', z: 'tab' },
    seed: 'seed',
    ports: { entry: { type: 'fog-in' }, exits: [{ type: 'fog-out', name: 'first' }] },
    ...options,
  });
}

const ofType = (nodes: FlowNode[], type: string) => nodes.find((node) => node.type === type)!;
const without = (id: string) => FLOW.filter((node) => node.id !== id);

describe('placement, expanding a subflow', () => {
  it('wires the entry, the nodes inside, nested ones, and the exit', () => {
    const { nodes } = expand();
    const [entry, first, nested, inside, exit] = [
      'fog-in',
      'mqtt out',
      'junction',
      'function',
      'fog-out',
    ].map((type) => ofType(nodes, type)) as [FlowNode, FlowNode, FlowNode, FlowNode, FlowNode];
    assert.deepEqual(entry.wires, [[first.id]]);
    assert.deepEqual(first.wires, [[nested.id]]);
    assert.deepEqual(nested.wires, [[inside.id]]);
    assert.deepEqual(inside.wires, [[exit.id]]);
    assert.equal(exit.name, 'first');
    for (const { id, z } of nodes) {
      assert.match(id, /^[0-9a-f]{16}$/);
      assert.equal(z, undefined);
    }
    for (const group of nodes.filter(({ type }) => type === 'group')) {
      for (const id of group.nodes as string[])
        assert.equal(nodes.find((node) => node.id === id)?.g, group.id);
    }
  });

  it('gives the same ids for the same seed and instance, and others otherwise', () => {
    const ids = (options?: Partial<ExpandOptions>) => {
      const { nodes, configs } = expand(options);
      return [...nodes, ...configs].map(({ id }) => id);
    };
    const first = ids();
    assert.deepEqual(ids(), first);
    assert.equal(new Set(first).size, first.length);
    for (const other of [ids({ seed: 'another' }), ids({ instance: { id: 'another' } })]) {
      assert.ok(other.every((id) => !first.includes(id)));
    }
  });

  it('says where each new node comes from', () => {
    const { nodes, origins } = expand();
    assert.equal(origins.get(ofType(nodes, 'mqtt out').id), 'operator/a');
    assert.equal(origins.get(ofType(nodes, 'function').id), 'operator/b/c');
  });

  it('takes along the config nodes that are used, of the subflow, of the flow file, and of each other', () => {
    const { nodes, configs, types } = expand();
    const user = ofType(nodes, 'mqtt out');
    const broker = ofType(configs, 'mqtt-broker');
    const byId = (id: unknown) => configs.find((config) => config.id === id);
    assert.equal(user.broker, broker.id);
    assert.equal(byId(user.tls)?.name, 'scoped');
    assert.equal(byId(broker.tls)?.type, 'tls-config');
    assert.equal(configs.length, 4, 'the unused broker stays');
    assert.deepEqual(types, [
      'fog-host',
      'fog-in',
      'fog-out',
      'function',
      'junction',
      'mqtt out',
      'mqtt-broker',
      'tls-config',
    ]);
  });

  it('leaves config nodes at home that have no meaning elsewhere', () => {
    const { nodes, types } = expand({ leave: ['fog-host'] });
    assert.ok(!types.includes('fog-host'));
    assert.equal(ofType(nodes, 'function').host, 'host');
  });

  it('puts credentials where Node-RED looks for them', () => {
    const kept: Record<string, Record<string, unknown>> = {
      broker: { user: 'u', password: 'p' },
      c: { token: 't' },
    };
    const { nodes, configs } = expand({ credentials: (id) => kept[id] });
    assert.deepEqual(ofType(configs, 'mqtt-broker').credentials, kept.broker);
    assert.deepEqual(ofType(nodes, 'function').credentials, kept.c);
  });

  it('lets a status node that hears all keep hearing the node it is wired to', () => {
    const flow = [...FLOW, { id: 's', type: 'status', z: 'outer', scope: null, wires: [['a']], ...place }];
    const { nodes } = expand({ flow });
    const status = ofType(nodes, 'status');
    assert.ok((status.scope as string[]).includes(ofType(nodes, 'mqtt out').id));
    const behind = nodes.find(({ id }) => id === status.wires![0]![0])!;
    assert.equal(behind.type, 'junction');
    assert.deepEqual(behind.wires, [[ofType(nodes, 'mqtt out').id]]);
  });

  it('changes nothing in the flow file', () => {
    const before = structuredClone(FLOW);
    expand();
    assert.deepEqual(FLOW, before);
  });

  it('refuses what is not there, contains itself, or would behave differently elsewhere', () => {
    assert.throws(() => expand({ subflow: 'none' }), { code: 'ERR_SUBFLOW_UNKNOWN' });
    assert.throws(() => expand({ flow: without('inner') }), {
      code: 'ERR_SUBFLOW_UNKNOWN',
      message: /inner/,
    });
    const unsupported = (message: RegExp, ...more: FlowNode[]) =>
      assert.throws(() => expand({ flow: [...FLOW, ...more] }), { code: 'ERR_SUBFLOW_UNSUPPORTED', message });
    unsupported(/inner contains itself|outer contains itself/, {
      id: 'r',
      type: 'subflow:outer',
      z: 'inner',
      ...place,
    });
    unsupported(/link call away/, {
      id: 'l',
      name: 'away',
      type: 'link call',
      z: 'outer',
      links: ['other'],
      ...place,
    });
    const keeps = (z: string, func: string) => ({ id: `keeps-${z}`, type: 'function', z, func, ...place });
    unsupported(
      /outer, inner are nested/,
      keeps('outer', 'flow.get("n")'),
      keeps('inner', 'flow.set("n", 1)'),
    );
    unsupported(/context of the flow around/, keeps('outer', 'flow.get("$parent.n")'));
    unsupported(/context of the flow around/, {
      id: 'change',
      type: 'change',
      z: 'inner',
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '$parent.n', tot: 'flow' }],
      ...place,
    });
    assert.doesNotThrow(() => expand({ flow: [...FLOW, keeps('inner', 'flow.set("n", 1)')] }));
  });
});
