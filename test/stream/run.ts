import { isLate, type Output, parseInput, parseWindowSpec, settle, WindowEngine } from '../../lib/stream';

/** A pane as `start..end kind#index n=count [answers]`, with its key in front when it has one. */
export function show(output: Output): string {
  if (isLate(output)) return `${output.reason} ${JSON.stringify(output.late)}`;
  const { key, start, end, pane, index, count, result } = output;
  const answers = Object.values(result).map((answer) => JSON.stringify(answer));
  return `${key === '' ? '' : `${key} `}${start}..${end} ${pane}#${index} n=${count} [${answers.join(' ')}]`;
}

/**
 * Runs input lines through an engine. A number is an event at that time whose value is the time, `W n` a
 * watermark, `C n` the clock, `end` the end of input; anything else is an input line's object.
 *
 * @returns per step that said something: the step and what it said
 */
export async function run(spec: unknown, steps: (number | string | object)[]): Promise<string[]> {
  const engine = new WindowEngine(parseWindowSpec(spec));
  const said: string[] = [];
  for (const step of steps) {
    feed(engine, step);
    const outputs: string[] = [];
    for (let output = engine.next(); output; output = engine.next()) {
      outputs.push(show(isLate(output) ? output : await settle(output)));
    }
    const name = typeof step === 'object' ? JSON.stringify(step) : String(step);
    if (outputs.length > 0) said.push(`${name}: ${outputs.join(' | ')}`);
  }
  return said;
}

function feed(engine: WindowEngine, step: number | string | object): void {
  const [, kind, number] = /^([WC]) (-?\d+)$/.exec(String(step)) ?? [];
  if (step === 'end') engine.end();
  else if (kind === 'W') engine.advanceWatermark(Number(number));
  else if (kind === 'C') engine.advanceClock(Number(number));
  else {
    const object = typeof step === 'number' ? { time: step, value: step } : step;
    const input = parseInput(JSON.stringify(object), 1, engine.spec.time === 'event');
    if (input.kind !== 'event') throw new Error('use W and C');
    engine.add(input.event);
  }
}
