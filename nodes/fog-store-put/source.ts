import { InvalidArgumentError } from '../../lib/base';

/**
 * The bytes of a message's property: a Buffer as it is, a text in UTF-8, anything else as JSON.
 *
 * @throws {InvalidArgumentError} when there is nothing that could be kept
 */
export function bytesOf(value: unknown, where: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw new InvalidArgumentError(`msg.${where} cannot be written as JSON`, 'Send a Buffer or a text.', {
      cause: error,
    });
  }
  if (json === undefined) {
    throw new InvalidArgumentError(
      `msg.${where} holds nothing to put`,
      'Send a Buffer, a text or an object.',
    );
  }
  return Buffer.from(json);
}
