import jsonata from 'jsonata';
import { StreamExpressionError, StreamSpecError } from '../errors';
import type { EventQueue } from '../events';
import type { Aggregate, Item } from './aggregate';
import { collect, inTimeOrder } from './collect';

/**
 * An answer that is still to be computed: JSONata is asynchronous, windows are not. `settle` on the pane
 * puts the value in its place.
 */
export class PendingAnswer {
  readonly #expression: jsonata.Expression;
  readonly #text: string;
  readonly #items: unknown[];

  constructor(expression: jsonata.Expression, text: string, items: unknown[]) {
    this.#expression = expression;
    this.#text = text;
    this.#items = items;
  }

  /** @throws {StreamExpressionError} */
  async value(): Promise<unknown> {
    try {
      const value = await this.#expression.evaluate(this.#items);
      return value === undefined || typeof value === 'function' ? null : value;
    } catch (error) {
      throw new StreamExpressionError(this.#text, error);
    }
  }
}

/**
 * A JSONata expression over the collected values; no answer is null.
 *
 * @throws {StreamSpecError} when it cannot be parsed
 */
export function expression(text: string): Aggregate<EventQueue> {
  let parsed: jsonata.Expression;
  try {
    parsed = jsonata(text);
  } catch (cause) {
    const { message } = cause as Error;
    throw new StreamSpecError(`"${text}" is not a JSONata expression: ${message}`, undefined, { cause });
  }
  const lower = (items: readonly Item[]) => new PendingAnswer(parsed, text, inTimeOrder(items));
  return { ...collect, lower: (state) => lower(state.items()), lowerItems: lower };
}
