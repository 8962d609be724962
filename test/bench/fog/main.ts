import { runSuite } from '../harness/run-suite';
import { FOG_CASES } from '.';

runSuite({
  name: 'fog',
  about: `Measures a fog of three sites with two hosts each: objects and messages between network namespaces, with
uplinks of 20 Mbit/s and 20 ms between the sites. Needs root and gcc; half an hour.`,
  cases: FOG_CASES,
  results: 'fog',
});
