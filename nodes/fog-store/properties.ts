import type { NodeAPI } from 'node-red';
import { InvalidArgumentError } from '../../lib/base';

export type Message = Record<string, unknown>;

/** What a dialog's typed input holds: a text as it is, or the property of the message that holds it. */
export interface TypedValue {
  type: 'str' | 'msg';
  value: string;
}

export function typedValue(value: string | undefined, type: string | undefined): TypedValue {
  return { type: type === 'msg' ? 'msg' : 'str', value: value?.trim() ?? '' };
}

/**
 * The text that a typed input means for a message; undefined where there is none.
 *
 * @throws {InvalidArgumentError} when the message has something else there
 */
export function readProperty(
  RED: NodeAPI,
  message: Message,
  { type, value }: TypedValue,
): string | undefined {
  if (type === 'str' || value === '') return value || undefined;
  const found: unknown = RED.util.getMessageProperty(message, value);
  if (found === undefined || found === null || found === '') return undefined;
  if (typeof found === 'string') return found;
  throw new InvalidArgumentError(`msg.${value} is no text`, 'Set it to a text, or change it in the dialog.');
}
