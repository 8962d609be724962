/**
 * Run as a process of its own by container-network.test: does something with a container on the bridge, and kills
 * itself before or after one of the plugins.
 */
import { readFileSync } from 'node:fs';
import { DataDirectory, Journal, openDatabase } from '../../../lib/base';
import { ContainerEngine } from '../../../lib/container';
import * as cni from '../../../lib/container/network/cni';
import * as names from '../../../lib/container/network/names';

const { directory, spec, image, layers, action, crashAt } = JSON.parse(
  readFileSync(process.argv[2]!, 'utf8'),
);

/** Not while the engine opens. */
let armed = false;

const die = () => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => {});
};

function replace<M extends object>(module: M, name: keyof M, value: unknown): void {
  Object.defineProperty(module, name, { value });
}

const { callPlugin } = cni;
replace(cni, 'callPlugin', async (call: cni.CniCall) => {
  const step = `${call.command} ${call.config.type}`;
  if (armed && crashAt === `${step} before`) await die();
  const result = await callPlugin(call);
  if (armed && crashAt === step) await die();
  return result;
});
const { updateNames } = names;
replace(names, 'updateNames', (containers: string) =>
  armed && crashAt === 'hosts' ? die() : updateNames(containers),
);

async function main(): Promise<void> {
  const dataDirectory = new DataDirectory(directory);
  const database = openDatabase(dataDirectory.join('garua.db'));
  const journal = new Journal(database);
  const engine = await ContainerEngine.open({ dataDirectory, database, journal, hostName: 'crash' });
  armed = true;
  if (action === 'deploy') await engine.deploy(spec, image, layers);
  else if (action === 'start') await engine.start(spec.name);
  else await engine.remove(spec.name, { force: true, graceMs: 0 });
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
