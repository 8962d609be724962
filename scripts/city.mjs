/**
 * A fog of three sites on this machine, each with a host and an editor: `npm run demo:city`. The flows lie at one of
 * them, and their operators at all. Stays in the foreground, and takes everything that runs away with it.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startNodeRed } from './demo/node-red.mjs';
import { becomeOnlyOne } from './demo/only-one.mjs';
import { freePort, startBeside, waitForAnswer } from './demo/processes.mjs';
import { node, report, root, SetupError, say } from './set-up/shared.mjs';

/** The tests have one of their own. */
const FOLDER = process.env.GARUA_CITY_STATE ?? join(root, '.garua/city');
const SITES = ['Station', 'Quay', 'Market'];
/** Where the flows lie. */
const HOME = SITES[0];
const EXAMPLES = [
  'Computation offloading',
  'Mediation between users',
  'Real-time event monitoring',
  'Networked control loop',
  'Crowd sensing',
];
/** What stands at a place, by the name of its node: cameras, meters, people. */
const PLACES = {
  camera: 'Quay',
  pump: 'Market',
  'phones west': 'Quay',
  'phones centre': 'Market',
  'phones east': 'Station',
};
/** For a host or an editor to answer, and for all operators to run, in milliseconds. */
const PATIENCE = 120_000;

const { openHost } = createRequire(import.meta.url)(join(root, 'dist/lib/control'));

async function main() {
  const interrupted = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(signal));
  });
  const mark = becomeOnlyOne(FOLDER, 'scripts/city.mjs', 'npm run demo:city');
  const beside = [];
  try {
    const sites = [];
    say('Starting three hosts and three editors ...');
    for (const name of SITES) sites.push(await startSite(name, beside));
    const ended = Promise.race(beside.map((one) => one.ended.then((how) => ({ one, how }))));
    await Promise.race([bringUp(sites), interrupted, ended.then(({ one, how }) => fail(one, how))]);
    await Promise.race([interrupted, ended.then(({ one, how }) => fail(one, how))]);
    say('\nStopping the editors, then the hosts ...');
  } finally {
    for (const one of beside.reverse()) await one.stop('SIGINT');
    rmSync(mark, { force: true });
  }
  say(`Nothing runs any more. Flows, the fog and its state are kept in ${FOLDER} for the next time.`);
}

async function startSite(name, beside) {
  const folder = join(FOLDER, name.toLowerCase());
  mkdirSync(folder, { recursive: true });
  const data = join(folder, 'data');
  const socket = join(data, 'garua.sock');
  const port = await freePort(1881);
  const url = `http://127.0.0.1:${port}/`;
  const words = ['--data', data, '--site', name, '--name', name.toLowerCase(), '--node-red', url];
  const program = join(root, 'dist/lib/cli/main.js');
  const args = [program, 'host', ...words, '--listen', '/ip4/127.0.0.1/tcp/0'];
  beside.push(startBeside(node, args, join(folder, 'host.log')));
  const variables = { GARUA_DEMO_SOCKET: socket, GARUA_DEMO_TITLE: `${name} - Garua` };
  const nodeRed = startNodeRed(folder, {
    port,
    flows: () => (name === HOME ? homeFlows() : guestFlows(name)),
    variables,
  });
  beside.push(nodeRed);
  // The next site must not choose the same port.
  if (!(await waitForAnswer(`${url}settings`, nodeRed.ended, PATIENCE))) fail(nodeRed, 'no answer');
  return { name, url, socket };
}

/** The examples as they are, but what stands somewhere is pinned there. */
function homeFlows() {
  return EXAMPLES.flatMap((name) =>
    JSON.parse(readFileSync(join(root, `examples/${name}.json`), 'utf8')),
  ).map((one) =>
    one.type === 'place-operator' && PLACES[one.name] ? { ...one, pin: PLACES[one.name] } : one,
  );
}

function guestFlows(name) {
  const id = `garua-city-${name.toLowerCase()}`;
  return [
    { id, type: 'tab', label: name, disabled: false, info: '', env: [] },
    {
      id: `${id}-about`,
      type: 'comment',
      z: id,
      name: `Operators that run at ${name} come here as tabs of their own, and leave again`,
      info: `The flows that they belong to are in the editor of ${HOME}. To see a tab that has come, reload the editor.`,
      x: 340,
      y: 60,
      wires: [],
    },
  ];
}

/** Makes one fog of the hosts the first time; then waits until all operators run. */
async function bringUp(sites) {
  const [home, ...others] = await Promise.all(sites.map(openWhenThere));
  try {
    if (!(await home.fog())) await home.fogCreate({ name: 'city' });
    for (const other of others) if (!(await other.fog())) await other.fogJoin(await home.fogInvite());
    say('Waiting for the operators to be placed ...');
    const operators = await running(home);
    const where = operators
      .map(
        ({ name, state, instances }) =>
          `  ${name.padEnd(16)} ${[...new Set(instances.map(({ site }) => site))].join(', ') || state}`,
      )
      .join('\n');
    const list = sites.map(({ name, url }) => `  ${name.padEnd(9)} ${url}`).join('\n');
    const garua = `${process.env.SUDO_UID ? 'sudo ' : ''}${node.slice(root.length + 1)} dist/lib/cli/main.js`;
    const data = join(FOLDER, HOME.toLowerCase(), 'data').replace(`${root}/`, '');
    say(`
The city runs. Its editors, and the site where each operator is:

${list}

${where}

  The flows      ${sites[0].url}
  A noise map    ${sites[0].url}noise
  Who is where   ${garua} operators --data ${data}
  The sites      ${garua} sites --data ${data}

Ctrl+C stops everything.`);
  } finally {
    for (const host of [home, ...others]) await host.close();
  }
}

async function openWhenThere({ name, socket }) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    try {
      const host = await openHost({ socket });
      await host.info();
      return host;
    } catch (error) {
      if (Date.now() > deadline)
        throw new SetupError(
          'ERR_DEMO_NO_HOST',
          `the host of ${name} does not answer: ${error.message}`,
          `Its log is in ${FOLDER}.`,
        );
      await delay(200);
    }
  }
}

/** All operators of the home's flows, once they run or time is up. */
async function running(home) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const operators = await home.operators();
    if (operators.length > 0 && operators.every(({ state }) => state === 'running')) return operators;
    if (Date.now() > deadline) return operators;
    await delay(500);
  }
}

function fail(one, how) {
  throw new SetupError(
    'ERR_DEMO_ENDED',
    `a host or an editor has ended (${how}). Its last lines:\n${one.lastLines()}`,
    `The logs are in ${FOLDER}. To begin again from nothing, remove that folder.`,
  );
}

main().then(
  () => process.exit(0),
  (error) => {
    report(error);
    process.exit(process.exitCode);
  },
);
