/**
 * Run as a process of its own by tests: opens an engine, deploys a container from a prepared document,
 * says so, and waits to be killed. Its `action` may be another: `stop`, `remove`, or `none`. `crash-at` ends the process in the middle of the work.
 */
import { readFileSync } from 'node:fs';
import { DataDirectory, Journal, openDatabase } from '../../lib/base';
import { ContainerEngine } from '../../lib/container';
import { Lifecycle } from '../../lib/container/lifecycle';

const [path, crashAt, crashAfter] = process.argv.slice(2);
const {
  directory,
  spec,
  image,
  layers,
  supervise,
  action = 'deploy',
} = JSON.parse(readFileSync(path!, 'utf8'));

if (crashAt) {
  const step = crashAt as 'keep' | 'prepare' | 'create' | 'connect' | 'start' | 'release' | 'discard';
  const original = Lifecycle.prototype[step] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(Lifecycle.prototype, {
    async [step](this: Lifecycle, ...args: unknown[]) {
      if (crashAfter) await original.apply(this, args);
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => {});
    },
  });
}

async function main(): Promise<void> {
  const dataDirectory = new DataDirectory(directory);
  const database = openDatabase(dataDirectory.join('garua.db'));
  const journal = new Journal(database);
  const engine = await ContainerEngine.open({
    dataDirectory,
    database,
    journal,
    hostName: 'owner',
    supervise,
  });
  if (supervise) void report(engine);
  if (action === 'stop') await engine.stop(spec.name, { graceMs: 100 });
  else if (action === 'remove') await engine.remove(spec.name, { force: true, graceMs: 100 });
  else if (action === 'deploy') {
    const { container } = await engine.deploy(spec, image, layers);
    process.stdout.write(`${JSON.stringify(container)}\n`);
  }
}

async function report(engine: ContainerEngine): Promise<void> {
  for await (const status of engine.watch()) process.stdout.write(`${JSON.stringify(status)}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
