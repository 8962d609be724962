import { TUNING_CHECKS } from '../../tuning';
import type { Check } from '../check';
import { controllers, memoryCgroup } from './cgroups';
import { criu } from './criu';
import { checkpointRestore, namespaces, networking, overlay, seccomp } from './kernel';
import { architecture, clock, memory, nativeModules, node, power, root, swap } from './machine';
import { bridge, conmon, runc } from './programs';
import { dataDirectory, index, inodes, policy, space } from './storage';

/** All, in the order in which they are shown. */
export const CHECKS: Check[] = [
  ...[architecture, root, node, nativeModules, memory, swap, clock, power],
  ...[overlay, namespaces, seccomp, controllers, memoryCgroup, networking, checkpointRestore],
  ...[runc, conmon, bridge, criu],
  ...[dataDirectory, index, space, inodes, policy],
  ...TUNING_CHECKS,
];
