/** Loaded into a daemon before its own program: at SIGUSR2 writes how late its event loop was since the last one. */
import { renameSync, writeFileSync } from 'node:fs';
import { EventLoopMeter } from '../../harness/event-loop';

const meter = new EventLoopMeter();

process.on('SIGUSR2', () => {
  const file = `${process.env.GARUA_BENCH_EVENT_LOOP}-${process.pid}`;
  writeFileSync(`${file}.new`, JSON.stringify(meter.take()));
  renameSync(`${file}.new`, file);
});
