import type { BenchCase } from '../harness/bench';
import { bitswap } from './bitswap';
import { idleHosts } from './idle';
import { messages } from './messages';
import { objects } from './objects';

/** What a fog of several sites costs, and how near to the wire it comes. */
export const FOG_CASES: BenchCase[] = [objects, messages, idleHosts, ...bitswap];
