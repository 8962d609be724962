import { runSuite } from '../harness/run-suite';
import { MIGRATION_CASES } from '.';
import { hasOwnRun } from './own-run';

if (hasOwnRun())
  runSuite({
    name: 'migration',
    about: `Moves containers between two hosts on a link of 100 or 20 Mbit/s and measures what a client that asks every
5 ms misses, beside runc alone and podman. Needs root, gcc and CRIU; half an hour.`,
    cases: MIGRATION_CASES,
    results: 'migration',
  });
