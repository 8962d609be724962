import { InvalidArgumentError } from '../../../base';
import type { FlowNode } from '../subflow';
import type { InstanceSpec } from './runtime';

const LONGEST_TEXT = 250;
const MOST_OUTPUTS = 1_000;
const MOST_TARGETS = 1_000;

/**
 * What another host wants to run here.
 *
 * @throws {InvalidArgumentError} where it is malformed, or speaks of what is not the owner's
 */
export function checkSpec(spec: InstanceSpec, owner: string): InstanceSpec {
  const { instance, operator, number, slot, name, body, cpu, memory, device, key, targets } = spec ?? {};
  const isSound =
    [instance, operator].every((text) => isText(text, 1_000)) &&
    isText(name, 1_000) &&
    [number, slot].every((each) => Number.isSafeInteger(each) && each >= 0) &&
    Number.isFinite(cpu) &&
    cpu > 0 &&
    Number.isFinite(memory) &&
    memory >= 0 &&
    (device === undefined || isDevice(device)) &&
    (key === undefined || isText(key)) &&
    isBody(body) &&
    isTargets(targets, owner);
  if (isSound && instance.startsWith(`${owner}/`)) return { ...spec, owner };
  throw new InvalidArgumentError('what should be an instance of an operator is none');
}

/** Whoever may place flows must not learn which other files there are. */
export const isDevice = (path: unknown): path is string =>
  typeof path === 'string' && /^\/dev\/[^\0]+$/.test(path) && !path.includes('..');

/** What is in a container is checked where it is made. */
function isBody(body: InstanceSpec['body'] | undefined): boolean {
  if (body?.kind !== 'subflow') return typeof body?.kind === 'string';
  const { nodes, configs, types } = body;
  return (
    [nodes, configs].every((list) => Array.isArray(list) && list.every(isNode)) &&
    Array.isArray(types) &&
    types.every((type) => isText(type, 1_000))
  );
}

const isNode = (node: FlowNode | null) => isText(node?.id, 1_000) && isText(node?.type, 1_000);

/** An operator sends to operators of its own owner, and to topics. */
function isTargets(targets: unknown, owner: string): boolean {
  if (!Array.isArray(targets) || targets.length > MOST_OUTPUTS) return false;
  return targets.every(
    (output) =>
      Array.isArray(output) && output.length <= MOST_TARGETS && output.every((one) => isTarget(one, owner)),
  );
}

function isTarget(target: Partial<InstanceSpec['targets'][number][number]> | null, owner: string): boolean {
  const { topic, isOperator, key } = target ?? {};
  if (!isText(topic) || typeof isOperator !== 'boolean' || (key !== undefined && !isText(key))) return false;
  const isInput = topic.startsWith('operators/');
  return isInput ? topic.startsWith(`operators/${owner}/`) : !isOperator;
}

function isText(value: unknown, longest = LONGEST_TEXT): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longest;
}
