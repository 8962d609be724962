import { createHash } from 'node:crypto';
import { inputTopic, type PlacedFlow, type PlacedOperator } from '../flow';
import { PARTITIONS } from '../partition';
import type { PortTarget } from '../ports';
import type { InstanceSpec, Subscriber } from '../runtime';

/** How many parts the input of an operator has. */
export const partitionsOf = ({ keyed }: Pick<PlacedOperator, 'keyed'>) => (keyed ? PARTITIONS : 1);

/** The subscribers of these partitions of an operator. */
export function subscribersOf(
  owner: string,
  flow: string,
  operator: string,
  partitions: readonly number[],
  isKeyed: boolean,
): Subscriber[] {
  return partitions.map((partition) => inputTopic(owner, flow, operator, isKeyed ? partition : undefined));
}

export function instanceName(owner: string, flow: string, operator: string, number: number): string {
  return `${owner}/${flow}/${operator}/${number}`;
}

export function specOf(
  owner: string,
  flow: PlacedFlow,
  operator: PlacedOperator,
  { number, slot }: { number: number; slot: number },
): InstanceSpec {
  const { name, body, cpu, memory, device, key } = operator;
  return {
    instance: instanceName(owner, flow.id, operator.id, number),
    operator: `${flow.id}/${operator.id}`,
    ...{ owner, number, slot, name, body, cpu, memory, device, key },
    targets: targetsOf(owner, flow, operator),
  };
}

/** Equal digests mean that an instance may go on as it is. */
export function digestOf(owner: string, flow: PlacedFlow, operator: PlacedOperator): string {
  const { body, cpu, memory, device, key } = specOf(owner, flow, operator, { number: 0, slot: 0 });
  const document = JSON.stringify([body, cpu, memory, device, key, targetsOf(owner, flow, operator)]);
  return createHash('sha256').update(document).digest('hex').slice(0, 32);
}

function targetsOf(owner: string, flow: PlacedFlow, { outputs }: PlacedOperator): PortTarget[][] {
  const byId = new Map(flow.operators.map((operator) => [operator.id, operator]));
  return outputs.map(({ operators, topics }) => [
    ...operators.flatMap((id): PortTarget[] => {
      const target = byId.get(id);
      if (!target) return [];
      return [{ topic: inputTopic(owner, flow.id, id), isOperator: true, key: target.key }];
    }),
    ...topics.map((topic): PortTarget => ({ topic, isOperator: false })),
  ]);
}
