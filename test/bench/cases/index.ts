import type { BenchCase } from '../harness/bench';
import { eventLoop } from './event-loop';
import { fourLayers10mbit } from './four-layers-10mbit';
import { fourLayers100mbit } from './four-layers-100mbit';
import { fourLayersLoopback } from './four-layers-loopback';
import { link10mbit } from './link-10mbit';
import { link100mbit } from './link-100mbit';
import { link256kbit } from './link-256kbit';
import { loopbackDisk } from './loopback-disk';
import { loopbackTmpfs } from './loopback-tmpfs';
import { memory } from './memory';
import { sharedBase } from './shared-base';
import { techniques100mbit } from './techniques-100mbit';
import { techniquesLoopback } from './techniques-loopback';
import { techniquesTmpfs } from './techniques-tmpfs';

/** Quick ones first: what is wrong shows early. */
export const CASES: BenchCase[] = [
  sharedBase,
  memory,
  eventLoop,
  loopbackTmpfs,
  loopbackDisk,
  fourLayersLoopback,
  techniquesTmpfs,
  techniquesLoopback,
  link100mbit,
  fourLayers100mbit,
  techniques100mbit,
  link10mbit,
  fourLayers10mbit,
  link256kbit,
];
