import type { BenchCase } from '../harness/bench';
import { elastic } from './elastic';
import { httpServer } from './http-server';
import { memory20, memory100 } from './memory';
import { unchangedVolume } from './volume';

/** What moving a container to another host costs it, and those who use it. */
export const MIGRATION_CASES: BenchCase[] = [memory100, memory20, httpServer, unchangedVolume, elastic];
