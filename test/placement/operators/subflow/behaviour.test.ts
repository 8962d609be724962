import assert from 'node:assert/strict';
import { CASES, SURROUNDINGS } from './cases';
import { SideBySide } from './side-by-side';

/** How many messages each case sends; fewer would say that it tests nothing. */
const COUNTS: Record<string, number> = {
  variables: 1,
  wires: 12,
  catch: 10,
  uncaught: 3,
  status: 6,
  complete: 1,
  links: 4,
  context: 3,
};

describe('placement, an expanded subflow beside the subflow in Node-RED', function () {
  this.timeout(120_000);
  const sides = new SideBySide();
  before(() => sides.start(SURROUNDINGS, CASES));
  after(() => sides.stop());

  for (const each of CASES) {
    it(`sends the same: ${each.name}`, async () => {
      const { subflow, expanded } = await sides.run(each, COUNTS[each.name]!);
      assert.deepEqual(sorted(expanded), sorted(subflow), sides.log());
      assert.ok(subflow.length >= COUNTS[each.name]!, `${JSON.stringify(subflow)} ${sides.log()}`);
    });
  }
});

/** What is heard by several is sent in no promised order; a status reporter is a function in the expansion. */
function sorted(messages: unknown[]): string[] {
  return messages.map((each) => JSON.stringify(each).replace(/"subflow:[^"]+"/, '"function"')).sort();
}
