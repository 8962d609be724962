import {
  expandSubflow,
  type OperatorBody,
  type OperatorOutput,
  type PlacedOperator,
} from '../../lib/placement';
import type { DeployedFlows } from './flow-file';
import type { FlowPlace } from './flow-session';
import { nameOfImage } from './program';
import type { OperatorNeeds } from './settings';

/** Config nodes that every Node-RED has its own of. */
const LEAVE = ['fog-host'];

/** How an output of an operator is wired. */
export interface OutputWires {
  /** Place-operators, which get its messages from site to site. */
  operators: string[];
  /** Other nodes, which get them here. */
  others: string[];
}

export function outputWires(flows: DeployedFlows, wires: readonly string[][]): OutputWires[] {
  return wires.map((targets) => ({
    operators: targets.filter((id) => flows.isOperator(id)),
    others: targets.filter((id) => !flows.isOperator(id)),
  }));
}

/** The topic by which what an output sends comes back to this Node-RED. */
export function returnTopic(owner: string, flow: string, operator: string, output: number): string {
  return `operators/${owner}/${flow}/${operator}/out/${output}`;
}

/**
 * What the place-operator `id` stands for, for the host that places it.
 *
 * @throws {SubflowUnknownError} {SubflowUnsupportedError}
 */
export function describeOperator(
  flows: DeployedFlows,
  id: string,
  needs: OperatorNeeds,
  place: FlowPlace,
  wires: readonly OutputWires[],
): PlacedOperator {
  const node = flows.node(id)!;
  const { runs } = needs;
  const outputs = wires.map(
    ({ operators, others }, output): OperatorOutput => ({
      operators,
      topics: others.length > 0 ? [returnTopic(place.owner, place.flow, id, output)] : [],
    }),
  );
  const expand = (subflow: string): OperatorBody => {
    const { nodes, configs, types } = expandSubflow({
      ...{ flow: flows.nodes, subflow, leave: LEAVE },
      instance: { id, name: node.name, z: node.z, g: node.g },
      seed: `${place.owner}/${place.flow}`,
      ports: {
        entry: { type: 'fog-port-in' },
        exits: outputs.map((_, output) => ({ type: 'fog-port-out', output })),
      },
      credentials: (of) => flows.credentials(of),
    });
    return { kind: 'subflow', nodes, configs, types };
  };
  const given =
    runs.kind === 'subflow'
      ? { name: String(flows.node(runs.subflow)?.name ?? runs.subflow), body: expand(runs.subflow) }
      : { name: nameOfImage(runs.spec.image), body: runs };
  return {
    id,
    name: node.name || given.name,
    body: given.body,
    cpu: needs.cpu,
    memory: needs.memory,
    allowed: needs.allowed,
    pin: needs.pin,
    device: needs.device,
    keyed: needs.key !== undefined,
    key: needs.key,
    instances: needs.instances,
    outputs,
  };
}
