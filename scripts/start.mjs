/**
 * The demo: a registry with an image, and a Node-RED whose flow pulls that image and runs it. Started by
 * `npm start`; stays in the foreground, and takes everything that runs away with it.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startNodeRed } from './demo/node-red.mjs';
import { becomeOnlyOne } from './demo/only-one.mjs';
import { freePort, isFree, waitForAnswer } from './demo/processes.mjs';
import { serveDemoImage } from './demo/registry.mjs';
import { node, report, root, SetupError, say } from './set-up/shared.mjs';

/** The tests have one of their own. */
const FOLDER = process.env.GARUA_DEMO_STATE ?? join(root, '.garua');
const DATA = join(FOLDER, 'data');
const CONTAINER = 'city-sensor';
/** For the first pull and start, in milliseconds. */
const PATIENCE = 120_000;

const { openHost } = createRequire(import.meta.url)(join(root, 'dist/lib/control'));

async function main() {
  const interrupted = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(signal));
  });
  const mark = becomeOnlyOne(FOLDER, 'scripts/start.mjs', 'npm start');
  const beside = [];
  try {
    const ports = await choosePorts();
    const { registry, image } = await serveDemoImage(join(FOLDER, 'registry'), ports.registry);
    beside.push(registry);
    say('Starting Node-RED ...');
    const nodeRed = startNodeRed(FOLDER, {
      port: ports.editor,
      flows: () => JSON.parse(readFileSync(join(root, 'scripts/demo-flow.json'), 'utf8')),
      variables: { GARUA_DEMO_IMAGE: image, GARUA_DEMO_STATUS_PORT: String(ports.status) },
    });
    beside.unshift(nodeRed);
    await Promise.race([showRunning(nodeRed, ports), interrupted]);
    await Promise.race([interrupted, nodeRed.ended.then((how) => fail(nodeRed, how))]);
    say('\nStopping Node-RED and the container ...');
  } finally {
    for (const { stop } of beside) await stop('SIGINT');
    await removeContainers();
    rmSync(mark, { force: true });
  }
  say(`Nothing runs any more. Images and flows are kept in ${FOLDER} for the next npm start.`);
}

/** The same as last time where possible: another port would make another container of it. */
async function choosePorts() {
  const file = join(FOLDER, 'ports.json');
  const last = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const choose = async (port, first) => (port && (await isFree(port)) ? port : freePort(first));
  const ports = {
    registry: await choose(last.registry, 5000),
    status: last.status && (await isOurs(last.status)) ? last.status : await choose(last.status, 8090),
    editor: await choose(undefined, 1880),
  };
  writeFileSync(file, JSON.stringify(ports));
  return ports;
}

/** Whether a container of an earlier run, whose end nobody saw, holds the port. */
async function isOurs(port) {
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) }).catch(
    () => undefined,
  );
  return response?.ok === true && (await response.text()).includes(`<h1>${CONTAINER}</h1>`);
}

/** Waits until the flow has brought the container up, then says where everything is. */
async function showRunning(nodeRed, ports) {
  const editor = `http://127.0.0.1:${ports.editor}/`;
  let trouble;
  nodeRed.ended.then((how) => {
    trouble = how;
  });
  nodeRed.onLine((line) => {
    if (!line.includes('[error]')) return;
    say(`  Node-RED: ${line}`);
    if (line.includes('[error] [deploy-container')) trouble = line;
  });
  if (!(await waitForAnswer(`${editor}settings`, nodeRed.ended, PATIENCE))) return fail(nodeRed, 'no answer');
  say('Waiting for the flow to pull and start the container ...');
  const deadline = Date.now() + PATIENCE;
  let container;
  while (container?.state !== 'running' && !trouble && Date.now() < deadline) {
    container = await findContainer();
    await delay(200);
  }
  if (container?.state !== 'running') {
    // Whoever waits for its end reports that.
    if (nodeRed.hasEnded()) return;
    say(`\nThe container does not run yet. The node ${CONTAINER} in the editor says why:\n\n  ${editor}\n`);
    return;
  }
  const since = Math.round((Date.now() - Date.parse(container.startedAt)) / 1000);
  const garua = `${process.env.SUDO_UID ? 'sudo ' : ''}${node.slice(root.length + 1)} dist/lib/cli/main.js`;
  say(`
The container ${CONTAINER} is running (process ${container.pid}, for ${since} s), from ${container.image}.

  Editor        ${editor}
  Its page      http://127.0.0.1:${ports.status}/
  Its state     ${garua} ps --data .garua/data
  Its output    ${garua} logs ${CONTAINER} --data .garua/data
  Node-RED log  .garua/node-red.log

Ctrl+C stops Node-RED and removes the container.`);
}

async function findContainer() {
  let host;
  try {
    // Through the socket only: this process must not become the owner before Node-RED does.
    host = await openHost({ socket: join(DATA, 'garua.sock') });
    return await host.container(CONTAINER);
  } catch {
    return undefined;
  } finally {
    await host?.close();
  }
}

function fail(nodeRed, how) {
  throw new SetupError(
    'ERR_DEMO_NODE_RED_ENDED',
    `Node-RED has ended (${how}). Its last lines:\n${nodeRed.lastLines()}`,
    'The whole log is .garua/node-red.log. To begin again with the flow as it was, remove .garua/node-red.',
  );
}

/** Nothing is left running, whatever else was deployed from the editor. */
async function removeContainers() {
  if (!existsSync(DATA)) return;
  const host = await openHost({ dataDirectory: DATA });
  try {
    for (const { name, state } of await host.containers()) {
      if (name === CONTAINER) await host.remove(name, { force: true });
      else if (state === 'running') await host.stop(name);
    }
  } finally {
    await host.close();
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    report(error);
    process.exit(process.exitCode);
  },
);
