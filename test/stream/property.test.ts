import assert from 'node:assert/strict';
import { type AggregateSpec, type Output, parseWindowSpec, WindowEngine } from '../../lib/stream';
import { type Case, randomCase, type Step } from './reference/generator';
import { ReferenceWindows } from './reference/reference';

const CASES = 4_000;
/** A seed from outside repeats a run: GARUA_SEED=123. */
const SEED = Number(process.env.GARUA_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe(`windows against the reference (GARUA_SEED=${SEED})`, () => {
  it(`give the same panes in ${CASES} random cases`, () => {
    for (let n = 0; n < CASES; n += 1) {
      const example = randomCase(SEED + n);
      const engine = new WindowEngine(parseWindowSpec(example.spec));
      const reference = new ReferenceWindows(example.spec);
      example.steps.forEach((step, at) => {
        compare(drain(feed(engine, step)), feedReference(reference, step), example, n, at);
      });
      engine.end();
      compare(drain(engine), reference.end(), example, n, example.steps.length);
    }
  });

  it('go on to the byte after snapshot and restore at any step', () => {
    for (let n = 0; n < CASES / 4; n += 1) {
      const { spec, steps } = randomCase(SEED + n);
      const checked = parseWindowSpec(spec);
      const whole = new WindowEngine(checked);
      let moving = new WindowEngine(checked);
      const moves = new Set([n % steps.length, (n * 7) % steps.length]);
      steps.forEach((step, at) => {
        const expected = drain(feed(whole, step));
        assert.equal(text(drain(feed(moving, step))), text(expected), `seed ${SEED + n}, step ${at}`);
        if (!moves.has(at)) return;
        const state = JSON.stringify(moving.snapshot());
        moving = new WindowEngine(checked);
        moving.restore(JSON.parse(state));
      });
      const states = [whole, moving].map(stateOf);
      assert.equal(states[1], states[0], `seed ${SEED + n}, state`);
      for (const engine of [whole, moving]) engine.end();
      assert.equal(text(drain(moving)), text(drain(whole)), `seed ${SEED + n}, end`);
    }
  });

  it('hold nothing once everything has closed', () => {
    for (let n = 0; n < CASES / 4; n += 1) {
      const { spec, steps } = randomCase(SEED + n);
      if (spec.type === 'count') continue;
      const engine = new WindowEngine(parseWindowSpec(spec));
      for (const step of steps) drain(feed(engine, step));
      engine.end();
      do drain(engine);
      while (engine.fill.keys > 0 && engine.fill.windows > 0 && spec.type !== 'sliding');
      if (spec.type !== 'sliding') assert.deepEqual(engine.fill, { keys: 0, windows: 0, items: 0 });
      assert.equal(engine.fill.windows, 0, `seed ${SEED + n}`);
    }
  });
});

function feed(engine: WindowEngine, step: Step): WindowEngine {
  if ('event' in step) engine.add(step.event);
  else if ('watermark' in step) engine.advanceWatermark(step.watermark);
  else engine.advanceClock(step.processingTime);
  return engine;
}

function feedReference(reference: ReferenceWindows, step: Step): Output[] {
  if ('event' in step) return reference.event(step.event);
  if ('watermark' in step) return reference.watermark(step.watermark);
  return reference.processingTime(step.processingTime);
}

function drain(engine: WindowEngine): Output[] {
  const outputs: Output[] = [];
  for (let output = engine.next(); output; output = engine.next()) outputs.push(output);
  return outputs;
}

/** Once what is closed has been forgotten, a few windows at a time. */
function stateOf(engine: WindowEngine): string {
  for (let n = 0; n < 20; n += 1) engine.next();
  const { meta, keys } = engine.snapshot();
  return JSON.stringify([meta, keys.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

const text = (outputs: Output[]): string => outputs.map((output) => JSON.stringify(output)).join('\n');

/** To the byte, but for what is rounded or estimated. */
function compare(actual: Output[], expected: Output[], { spec, steps }: Case, n: number, at: number): void {
  const [mine, theirs] = [actual, expected].map((outputs) =>
    text(outputs.map((output) => exact(output, spec.aggregates!))),
  );
  const where = () =>
    `GARUA_SEED=${SEED + n}, step ${at} of ${JSON.stringify({ spec, steps: steps.slice(0, at + 1) })}`;
  assert.equal(mine, theirs, `${where()}\n${mine}\nshould be\n${theirs}`);
  actual.forEach((output, which) => {
    if ('late' in output) return;
    for (const { op, as = op } of spec.aggregates!) {
      if (!isEstimate(op)) continue;
      const [is, should] = [output.result[as], (expected[which] as typeof output).result[as]] as (
        | number
        | null
      )[];
      const tolerance = op === 'stddev' ? 1e-9 : 0.01;
      const near =
        should === null || should === undefined
          ? is === null
          : Math.abs((is as number) - should) <= tolerance * Math.abs(should) + 1e-12;
      assert(near, `${where()}\n${as} is ${is}, should be ${should}`);
    }
  });
}

const isEstimate = (op: string) => op === 'stddev' || op === 'quantile';

function exact(output: Output, aggregates: AggregateSpec[]): Output {
  if ('late' in output) return output;
  const estimates = aggregates.filter(({ op }) => isEstimate(op)).map(({ op, as = op }) => as);
  const result = Object.fromEntries(
    Object.entries(output.result).filter(([name]) => !estimates.includes(name)),
  );
  return { ...output, result };
}
