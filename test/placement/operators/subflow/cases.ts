import type { FlowNode } from '../../../../lib/placement/operators/subflow';
import type { Case } from './side-by-side';

type Properties = Record<string, unknown>;

/** What is around all instances. */
export const SURROUNDINGS: FlowNode[] = [
  {
    id: 'global-variables',
    type: 'global-config',
    env: [{ name: 'EVERYWHERE', type: 'str', value: 'global' }],
  },
  {
    id: 'home',
    type: 'tab',
    label: 'Home',
    env: [
      { name: 'PLACE', type: 'str', value: 'tab' },
      { name: 'LEVEL', type: 'num', value: '1' },
    ],
  },
  {
    id: 'home-group',
    type: 'group',
    z: 'home',
    name: 'Sensors',
    env: [{ name: 'PLACE', type: 'str', value: 'group' }],
    nodes: [],
  },
];

function subflow(id: string, properties: Properties = {}): FlowNode {
  return { id, type: 'subflow', name: id, in: [], out: [], env: [], ...properties };
}

function node(z: string, id: string, type: string, properties: Properties = {}): FlowNode {
  return { id, type, z, x: 100, y: 100, wires: [[]], ...properties };
}

function code(z: string, id: string, func: string, properties: Properties = {}): FlowNode {
  return node(z, id, 'function', { func, outputs: 1, libs: [], initialize: '', finalize: '', ...properties });
}

const into = (...ids: string[]) => [{ wires: ids.map((id) => ({ id })) }];
const outOf = (...ends: [id: string, port?: number][][]) =>
  ends.map((wires) => ({ wires: wires.map(([id, port = 0]) => ({ id, port })) }));

const VARIABLES = [
  'EVERYWHERE PLACE LEVEL TEXT NUMBER FLAG DOCUMENT COMPUTED COPY SECRET OVERRIDDEN MISSING $parent.PLACE',
  'LEVEL_UP NR_SUBFLOW_NAME NR_SUBFLOW_ID NR_SUBFLOW_PATH NR_FLOW_NAME NR_FLOW_ID NR_GROUP_NAME',
]
  .join(' ')
  .split(' ');
const TELL = `msg[node.name] = ${JSON.stringify(VARIABLES)}.map((name) => [name, env.get(name) ?? null]);
return msg;`;

export const CASES: Case[] = [
  {
    name: 'variables',
    instance: {
      name: 'here',
      g: 'home-group',
      env: [
        { name: 'OVERRIDDEN', type: 'str', value: 'by the instance' },
        { name: 'COPY', type: 'env', value: 'PLACE' },
        { name: 'OWN_SECRET', type: 'cred' },
        { name: 'LEVEL', type: 'env', value: 'LEVEL' },
      ],
    },
    credentials: {
      'variables-outer': { SECRET: 'of the template' },
      'instance-variables': { OWN_SECRET: 'of the instance' },
    },
    flow: [
      subflow('variables-outer', {
        in: into('v1'),
        out: outOf([['v4']]),
        env: [
          { name: 'TEXT', type: 'str', value: 'text' },
          { name: 'NUMBER', type: 'num', value: '42' },
          { name: 'FLAG', type: 'bool', value: 'true' },
          { name: 'DOCUMENT', type: 'json', value: '{"a":[1,2]}' },
          { name: 'COMPUTED', type: 'jsonata', value: '$env("PLACE") & "!"' },
          { name: 'SECRET', type: 'cred' },
          { name: 'OVERRIDDEN', type: 'str', value: 'by the template' },
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Node-RED's variables
          { name: 'LEVEL_UP', type: 'env', value: '${TEXT}-${PLACE}-${LEVEL}' },
        ],
      }),
      code('variables-outer', 'v1', TELL, { name: 'outer', wires: [['v2']] }),
      node('variables-outer', 'v2', 'change', {
        rules: [
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Node-RED's variables
          { t: 'set', p: 'substituted', pt: 'msg', to: '${TEXT}', tot: 'str' },
          { t: 'set', p: 'looked', pt: 'msg', to: 'OWN_SECRET', tot: 'env' },
        ],
        wires: [['v3']],
      }),
      node('variables-outer', 'v3', 'subflow:variables-inner', {
        name: 'inside',
        g: 'vg',
        env: [{ name: 'TEXT', type: 'env', value: 'OVERRIDDEN' }],
        wires: [['v4']],
      }),
      node('variables-outer', 'vg', 'group', {
        name: 'Inner group',
        env: [{ name: 'PLACE', type: 'str', value: 'inner group' }],
        nodes: ['v3', 'v4'],
      }),
      code('variables-outer', 'v4', TELL, { name: 'grouped', g: 'vg' }),
      subflow('variables-inner', {
        in: into('w1'),
        out: outOf([['w1']]),
        env: [
          { name: 'TEXT', type: 'str', value: 'inner text' },
          { name: 'NUMBER', type: 'num', value: '7' },
        ],
      }),
      code('variables-inner', 'w1', TELL, { name: 'inner' }),
    ],
    messages: [{ payload: 1 }],
  },
  {
    name: 'wires',
    flow: [
      subflow('wires-outer', {
        in: into('a1', 'a2', 'a3'),
        out: outOf([['a1'], ['a2', 1]], [['wires-outer'], ['a3']], [['a2']]),
      }),
      code('wires-outer', 'a1', 'msg.by = "a1"; return msg;', { wires: [['a2', 'off']] }),
      node('wires-outer', 'a2', 'subflow:wires-inner', { wires: [['a4'], []] }),
      node('wires-outer', 'a3', 'junction'),
      code('wires-outer', 'a4', 'msg.by = [msg.by, "a4"]; return msg;', { wires: [['off', 'a3']] }),
      code('wires-outer', 'off', 'msg.by = "off"; return msg;', { d: true, wires: [['a3']] }),
      subflow('wires-inner', {
        in: into('b1'),
        out: outOf([['b1', 0]], [['b1', 1], ['wires-inner']]),
      }),
      code('wires-inner', 'b1', 'return [{ ...msg, port: 0 }, { ...msg, port: 1 }];', {
        outputs: 2,
        wires: [[], []],
      }),
    ],
    messages: [{ payload: 1 }, { payload: 2 }],
  },
  {
    name: 'catch',
    flow: [
      subflow('catch-outer', {
        in: into('c1', 'c2', 'c3', 'c4'),
        out: outOf([['c5']], [['c6']], [['c7']], [['c8']]),
      }),
      code('catch-outer', 'c1', 'throw new Error("c1")'),
      code('catch-outer', 'c2', 'node.error("c2", msg)', { g: 'cg' }),
      node('catch-outer', 'c3', 'subflow:catch-inner', { name: 'quiet inside' }),
      node('catch-outer', 'c4', 'subflow:catch-none', { g: 'cg', name: 'loud inside' }),
      node('catch-outer', 'cg', 'group', { nodes: ['c2', 'c4', 'c7'] }),
      node('catch-outer', 'c5', 'catch', { scope: null, uncaught: false }),
      node('catch-outer', 'c6', 'catch', { scope: ['c1', 'c4'] }),
      node('catch-outer', 'c7', 'catch', { scope: 'group', g: 'cg' }),
      node('catch-outer', 'c8', 'catch', { scope: null, uncaught: true }),
      subflow('catch-inner', { in: into('d1') }),
      code('catch-inner', 'd1', 'node.error("d1", msg)'),
      node('catch-inner', 'd2', 'catch', { scope: null, wires: [['d3']] }),
      code('catch-inner', 'd3', 'node.error("d3 again", msg)', { d: true }),
      subflow('catch-none', { in: into('e1', 'e2') }),
      code('catch-none', 'e1', 'node.error("e1", msg)'),
      node('catch-none', 'e2', 'subflow:catch-deep'),
      subflow('catch-deep', { in: into('f1') }),
      code('catch-deep', 'f1', 'node.error("f1", msg)'),
    ],
    messages: [{ payload: 1 }],
  },
  {
    name: 'uncaught',
    flow: [
      subflow('uncaught-outer', { in: into('u1', 'u2'), out: outOf([['u3']], [['u4'], ['u5']]) }),
      code('uncaught-outer', 'u1', 'node.error("u1", msg)'),
      code('uncaught-outer', 'u2', 'node.error("u2", msg)'),
      node('uncaught-outer', 'u3', 'catch', { scope: ['u1'] }),
      node('uncaught-outer', 'u4', 'catch', { scope: null, uncaught: true }),
      node('uncaught-outer', 'u5', 'catch', { scope: null, uncaught: true }),
    ],
    messages: [{ payload: 1 }],
  },
  {
    name: 'status',
    flow: [
      subflow('status-outer', { in: into('s1', 's2', 's3'), out: outOf([['s4']], [['s5']], [['s6']]) }),
      code('status-outer', 's1', 'node.status({ fill: "red", shape: "dot", text: "s1" })'),
      node('status-outer', 's2', 'subflow:status-inner', { name: 'speaks' }),
      node('status-outer', 's3', 'subflow:status-silent', { name: 'lets speak' }),
      node('status-outer', 's4', 'status', { scope: null }),
      node('status-outer', 's5', 'status', { scope: ['s2', 's3'] }),
      node('status-outer', 's6', 'status', { scope: ['s1'], wires: [['s7']] }),
      code('status-outer', 's7', 'return null'),
      subflow('status-inner', { in: into('t1'), status: { wires: [{ id: 't2', port: 0 }] } }),
      code('status-inner', 't1', 'node.status({ text: "hidden" }); return msg;', { wires: [['t2']] }),
      code(
        'status-inner',
        't2',
        'return [[{ payload: "text" }, { payload: { fill: "green", text: "g" } }]];',
      ),
      subflow('status-silent', { in: into('x1') }),
      code('status-silent', 'x1', 'node.status({ text: "x1" })'),
    ],
    messages: [{ payload: 1 }],
  },
  {
    name: 'complete',
    flow: [
      subflow('complete-outer', { in: into('k1', 'k2'), out: outOf([['k3']]) }),
      code('complete-outer', 'k1', 'node.done();'),
      node('complete-outer', 'k2', 'subflow:complete-inner', { name: 'nested' }),
      node('complete-outer', 'k3', 'complete', { scope: ['k1', 'k4'] }),
      node('complete-outer', 'k4', 'change', {
        rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'x', tot: 'str' }],
      }),
      subflow('complete-inner', { in: into('l1'), out: outOf([['l1']]) }),
      code('complete-inner', 'l1', 'return msg;'),
    ],
    messages: [{ payload: 1 }],
  },
  {
    name: 'links',
    flow: [
      subflow('links-outer', { in: into('m1', 'm4'), out: outOf([['m3']], [['m4']]) }),
      node('links-outer', 'm1', 'link out', { mode: 'link', links: ['m2'] }),
      node('links-outer', 'm2', 'link in', { links: ['m1'], wires: [['m3']] }),
      code('links-outer', 'm3', 'msg.by = "m3"; return msg;'),
      node('links-outer', 'm4', 'link call', { links: ['m5'], linkType: 'static', timeout: '5' }),
      node('links-outer', 'm5', 'link in', { links: [], wires: [['m6']] }),
      code('links-outer', 'm6', 'msg.by = "called"; return msg;', { wires: [['m7']] }),
      node('links-outer', 'm7', 'link out', { mode: 'return', links: [] }),
    ],
    messages: [{ payload: 1 }, { payload: 2 }],
  },
  {
    name: 'context',
    flow: [
      subflow('context-outer', { in: into('n1'), out: outOf([['n2']]) }),
      code('context-outer', 'n1', 'flow.set("n", (flow.get("n") ?? 0) + 1); return msg;', {
        wires: [['n2']],
      }),
      node('context-outer', 'n2', 'change', {
        rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'n', tot: 'flow' }],
      }),
    ],
    messages: [{ payload: 0 }, { payload: 0 }, { payload: 0 }],
  },
];
