import type { BenchCase } from '../harness/bench';
import { idleContainers } from './idle';
import { logFlood } from './log-flood';
import { startBridge, startWithoutNetwork } from './start';

/** What a container costs once its image is there. */
export const CONTAINER_CASES: BenchCase[] = [startWithoutNetwork, startBridge, idleContainers, logFlood];
