import { join, resolve } from 'node:path';

/** The checkout; this file runs as dist/test/bench/harness/paths.js. */
export const PROJECT = resolve(__dirname, '..', '..', '..', '..');

/** Images, results and the plots; not in git. */
export const CACHE = join(PROJECT, '.bench');
