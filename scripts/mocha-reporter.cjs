/**
 * Mocha's spec reporter, which also writes its counts, failures and second attempts where `.ci/run` adds them
 * up: one file per mocha run, in the folder that GARUA_TEST_COUNTS names.
 */
const { mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { reporters, Runner } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const folder = process.env.GARUA_TEST_COUNTS;
    if (!folder) return;
    const [failed, repeated] = [[], []];
    const notedIn = (list) => (test, error) => {
      const reason = String(error?.stack ?? error?.message ?? error).split('\n');
      list.push({ title: test.fullTitle(), reason: reason.slice(0, 20).join('\n') });
    };
    runner.on(Runner.constants.EVENT_TEST_FAIL, notedIn(failed));
    runner.on(Runner.constants.EVENT_TEST_RETRY, notedIn(repeated));
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      mkdirSync(folder, { recursive: true });
      const lane = process.env.GARUA_TEST_LANE ?? 'tests';
      const document = { lane, passes, failures, pending, failed, repeated };
      writeFileSync(join(folder, `${Date.now()}-${process.pid}.json`), JSON.stringify(document));
    });
  }
};
