import { setTimeout as sleep } from 'node:timers/promises';
import { LocalHost } from '../../../lib/host';
import { EventLoopMeter } from '../harness/event-loop';

const IDLE_MS = 3_000;

/** `node pull-in-process.js DATA REF`: how late this program's own timers are while the library pulls. */
async function main([data, ref]: string[]): Promise<void> {
  const host = await LocalHost.open({ dataDirectory: data });
  const meter = new EventLoopMeter();
  // What a program does meanwhile: a sensor every 10 ms.
  let ticks = 0;
  setInterval(() => {
    ticks += 1;
  }, 10);
  await sleep(1_000);
  meter.take();
  await sleep(IDLE_MS);
  const idle = meter.take();
  await host.pull(ref!, { insecure: true, onProgress: () => {} });
  const pull = meter.take();
  process.stdout.write(JSON.stringify({ idle, pull, ticks }));
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
