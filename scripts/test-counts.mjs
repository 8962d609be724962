/**
 * Adds up what the mocha runs counted, and says again what failed: its own place is thousands of lines above.
 * Fails when a test failed, and when a run found no test or did not come to its end.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, expected] = [process.argv[2], Number(process.argv[3])];
const runs = readdirSync(folder)
  .sort()
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
const sum = (field) => runs.reduce((total, run) => total + run[field], 0);

const say = (what, lane, list) => {
  for (const { title, reason } of list) console.log(`${what}, ${lane}: ${title}\n${reason}\n`);
};
for (const { lane, repeated } of runs) say('needed a second attempt', lane, repeated);
for (const { lane, failed } of runs) say('failed', lane, failed);
for (const { lane, passes, failures } of runs) console.log(`${lane}: ${passes} passed, ${failures} failed`);
const empty = runs.filter(({ passes, failures }) => passes + failures === 0);
for (const { lane } of empty) console.log(`${lane}: no tests were found`);
if (runs.length < expected) console.log(`only ${runs.length} of ${expected} test runs came to their end`);
console.log(`${sum('passes')} passed, ${sum('failures')} failed`);
process.exitCode = sum('failures') > 0 || empty.length > 0 || runs.length < expected ? 1 : 0;
