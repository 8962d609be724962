import { CASES } from './cases';
import { runSuite } from './harness/run-suite';

runSuite({
  name: 'pull',
  about: `Measures garua pull side by side with docker, podman and containerd (those that are installed).
Needs root. Without a case: all of them, which takes about an hour; see test/bench/README.md.`,
  cases: CASES,
  results: 'results',
});
