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
    const sites = await chooseSites();
    say('Starting three hosts ...');
    for (const site of sites) beside.push(startHost(site));
    const started = await Promise.race([bringUp(sites, beside), interrupted]);
    if (started === 'up') await Promise.race([interrupted, endOf(beside)]);
    say('\nStopping the editors, then the hosts ...');
  } finally {
    for (const one of beside.reverse()) await one.stop('SIGINT');
    rmSync(mark, { force: true });
  }
  say(`Nothing runs any more. Flows, the fog and its state are kept in ${FOLDER} for the next time.`);
}

async function chooseSites() {
  const sites = [];
  let port = 1880;
  for (const name of SITES) {
    const folder = join(FOLDER, name.toLowerCase());
    mkdirSync(folder, { recursive: true });
    port = await freePort(port + 1);
    const data = join(folder, 'data');
    sites.push({
      name,
      folder,
      port,
      data,
      socket: join(data, 'garua.sock'),
      url: `http://127.0.0.1:${port}/`,
    });
  }
  return sites;
}

function startHost({ name, folder, data, url }) {
  const words = ['--data', data, '--site', name, '--name', name.toLowerCase(), '--node-red', url];
  const args = [join(root, 'dist/lib/cli/main.js'), 'host', ...words, '--listen', '/ip4/127.0.0.1/tcp/0'];
  return startBeside(node, args, join(folder, 'host.log'));
}

async function startEditor({ name, folder, port, socket, url }, beside) {
  const nodeRed = startNodeRed(folder, {
    port,
    flows: () => (name === HOME ? homeFlows() : guestFlows(name)),
    variables: { GARUA_DEMO_SOCKET: socket, GARUA_DEMO_TITLE: `${name} - Garua` },
  });
  beside.push(nodeRed);
  if (!(await waitForAnswer(`${url}settings`, nodeRed.ended, PATIENCE))) fail(nodeRed, 'no answer');
}

/** Rejects when one of the programs ends. */
async function endOf(beside) {
  const { one, how } = await Promise.race(beside.map((one) => one.ended.then((how) => ({ one, how }))));
  fail(one, how);
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

/** Makes one fog of the hosts the first time, starts the editors, and waits until all operators run. */
async function bringUp(sites, beside) {
  const [home, ...others] = await Promise.all(sites.map(openWhenThere));
  try {
    if (!(await home.fog())) await home.fogCreate({ name: 'city' });
    for (const other of others) if (!(await other.fog())) await other.fogJoin(await home.fogInvite());
    say('Starting three editors ...');
    const [first, ...guests] = sites;
    // Operators are placed once the home's flows start: there they find the other editors.
    await Promise.all(guests.map((site) => startEditor(site, beside)));
    await startEditor(first, beside);
    say('Waiting for the operators to be placed ...');
    show(sites, await Promise.race([running(home), endOf(beside)]));
    return 'up';
  } finally {
    for (const host of [home, ...others]) await host.close();
  }
}

function show(sites, operators) {
  const row = (name, text) => `  ${name.padEnd(16)} ${text}`;
  const siteOf = ({ state, instances }) =>
    [...new Set(instances.map(({ site }) => site))].join(', ') || state;
  const garua = `${process.env.SUDO_UID ? 'sudo ' : ''}${node.slice(root.length + 1)} dist/lib/cli/main.js`;
  const [{ url, data }] = sites;
  const shown = data.replace(`${root}/`, '');
  say(`
The city runs. Its editors, and the site where each operator is:

${sites.map((site) => row(site.name, site.url)).join('\n')}

${operators.map((operator) => row(operator.name, siteOf(operator))).join('\n')}

  The flows        ${url}
  A noise map      ${url}noise
  Who is where     ${garua} operators --data ${shown}
  The sites        ${garua} sites --data ${shown}

Ctrl+C stops everything.`);
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
