import { runSuite } from '../harness/run-suite';
import { CONTAINER_CASES } from '.';

runSuite({
  name: 'containers',
  about: `Measures what a container costs once its image is there, beside podman. Needs root and podman; about
three minutes.`,
  cases: CONTAINER_CASES,
  results: 'containers',
});
