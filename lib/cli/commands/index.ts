import type { Command } from '../command';
import { doctor } from './doctor';
import { images } from './images';
import { logs } from './logs';
import { place } from './place';
import { prune } from './prune';
import { ps } from './ps';
import { pull } from './pull';
import { rm } from './rm';
import { run } from './run';
import { start } from './start';
import { stop } from './stop';
import { window } from './window';

/** All commands, in the order in which `garua --help` lists them. */
export const COMMANDS: Command[] = [
  pull,
  images,
  prune,
  run,
  ps,
  logs,
  stop,
  start,
  rm,
  doctor,
  window,
  place,
];
