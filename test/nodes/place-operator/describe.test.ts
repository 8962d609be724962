import { deepEqual, equal, throws } from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { describeOperator, outputWires, returnTopic } from '../../../nodes/place-operator/describe';
import { DeployedFlows } from '../../../nodes/place-operator/flow-file';
import { needsOf } from '../../../nodes/place-operator/settings';

const PLACE = { owner: 'peer', flow: 'flow' };

/** Of the runtime, what tells which nodes are deployed. */
function deployed(nodes: object[]): DeployedFlows {
  const RED = {
    nodes: {
      eachNode: (each: (node: object) => void) => nodes.forEach(each),
      getCredentials: () => undefined,
    },
  };
  return new DeployedFlows(RED as unknown as NodeAPI);
}

const flows = deployed([
  {
    id: 'sub',
    type: 'subflow',
    name: 'Double',
    in: [{ wires: [{ id: 'f' }] }],
    out: [{ wires: [{ id: 'f', port: 0 }] }],
  },
  { id: 'f', type: 'function', z: 'sub', func: 'return msg;', x: 1, y: 1, wires: [[]] },
  { id: 'tab', type: 'tab' },
  {
    id: 'a',
    type: 'place-operator',
    z: 'tab',
    name: 'first',
    subflowId: 'sub',
    x: 1,
    y: 1,
    wires: [['b', 'debug']],
  },
  { id: 'b', type: 'place-operator', z: 'tab', subflowId: 'sub', x: 1, y: 1, wires: [['debug']] },
  { id: 'debug', type: 'debug', z: 'tab', x: 1, y: 1 },
]);
const needs = needsOf({ subflowId: 'sub', key: 'topic', most: 3, pin: 'Quay' }, (key) => key);

describe('what a place-operator stands for', () => {
  it('sends to operators from site to site, and to all else through this Node-RED', () => {
    deepEqual(outputWires(flows, [['b', 'debug'], []]), [
      { operators: ['b'], others: ['debug'] },
      { operators: [], others: [] },
    ]);
  });

  it('is its subflow between ports, with what it needs', () => {
    const wires = outputWires(flows, [['b', 'debug']]);
    const operator = describeOperator(flows, 'a', needs, PLACE, wires);
    equal(operator.name, 'first');
    equal(operator.keyed, true);
    equal(operator.pin, 'Quay');
    deepEqual(operator.instances, { least: 1, most: 3 });
    deepEqual(operator.outputs, [{ operators: ['b'], topics: [returnTopic('peer', 'flow', 'a', 0)] }]);
    equal(operator.body.kind, 'subflow');
    const types = operator.body.kind === 'subflow' ? operator.body.types : [];
    deepEqual(types, ['fog-port-in', 'fog-port-out', 'function']);
  });

  it('has no way back where only operators hear it', () => {
    const [output] = describeOperator(flows, 'a', needs, PLACE, outputWires(flows, [['b']])).outputs;
    deepEqual(output, { operators: ['b'], topics: [] });
  });

  it('is named like its subflow where it has no name', () => {
    equal(describeOperator(flows, 'b', needs, PLACE, []).name, 'Double');
  });

  it('is a container where it runs one, named like its image where it has no name', () => {
    const program = needsOf({ runs: 'container', image: 'ghcr.io/team/count:2' }, (key) => key);
    const operator = describeOperator(flows, 'b', program, PLACE, outputWires(flows, [['debug']]));
    equal(operator.name, 'count');
    deepEqual(operator.body, program.runs);
    deepEqual(operator.outputs, [{ operators: [], topics: [returnTopic('peer', 'flow', 'b', 0)] }]);
  });

  it('is refused when its subflow is gone', () => {
    const gone = needsOf({ subflowId: 'none' }, (key) => key);
    throws(() => describeOperator(flows, 'a', gone, PLACE, []), { code: /ERR_/ });
  });
});
