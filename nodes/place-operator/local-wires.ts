import type { Node, NodeAPI } from 'node-red';
import { DeployedFlows } from './flow-file';

interface Wired {
  updateWires(wires: string[][] | undefined): void;
}

/**
 * Takes the wires to other place-operators off a node, also when a deploy changes its wires: those get its messages
 * straight from where the operator runs.
 */
export function keepLocalWires(RED: NodeAPI, node: Node, wires: string[][] | undefined): void {
  const wired = node as unknown as Wired;
  const update = wired.updateWires;
  wired.updateWires = (given) => {
    const flows = new DeployedFlows(RED);
    const local = given?.map((targets) => targets.filter((id) => !flows.isOperator(id)));
    update.call(node, local);
  };
  wired.updateWires(wires);
}
