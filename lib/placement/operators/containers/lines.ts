/** The longest line in either direction, in bytes. */
export const LONGEST_LINE = 1 << 20;

/** By which a program says which message its line answers. */
export const ANSWER = '_garua';

type Plain = Record<string, unknown>;

/**
 * The line that a program gets for a message. A message is JSON already, written as one line by whoever encoded it.
 *
 * @param id for the program to repeat in its answer
 */
export function lineOf(body: string, id: string | undefined): string {
  let text = body;
  // What a program published that knows nothing of Node-RED.
  if (!body.startsWith('{') || /[\r\n]/.test(body)) {
    const value = parsed(body);
    text = JSON.stringify(isPlain(value) ? value : { payload: value ?? body });
  }
  if (id === undefined) return `${text}\n`;
  const begin = `{${JSON.stringify(ANSWER)}:${JSON.stringify(id)}`;
  return `${begin}${text === '{}' ? '' : ','}${text.slice(1)}\n`;
}

/** What a line of a program says. */
export interface ProgramLine {
  /** The message, encoded; undefined for a line that is nothing but an answer. */
  body: string | undefined;
  /** Which message it answers. */
  answers: string | undefined;
  /** Its properties, where it is an object. */
  message: Plain;
}

/** An object is a message, anything else the payload of one. */
export function readLine(text: string): ProgramLine {
  const value = text.startsWith('{') ? parsed(text) : undefined;
  if (!isPlain(value)) {
    const message = { payload: text };
    return { body: JSON.stringify(message), answers: undefined, message };
  }
  if (!Object.hasOwn(value, ANSWER)) return { body: text, answers: undefined, message: value };
  const { [ANSWER]: id, ...message } = value;
  const isEmpty = Object.keys(message).length === 0;
  return { body: isEmpty ? undefined : JSON.stringify(message), answers: String(id), message };
}

/** The value of a property such as `payload.sensors[0].name`. */
export function propertyOf(message: Plain, path: string): unknown {
  let value: unknown = message;
  for (const name of path.split(/[.[\]'"]+/).filter((part) => part !== '')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Plain)[name];
  }
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
