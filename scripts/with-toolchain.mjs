/**
 * Runs a task of this checkout on any machine with Node 20 or later: brings what the task needs, then runs
 * it with the checkout's own Node. `node scripts/with-toolchain.mjs start|demo:city|test|test:node-red-4|test:faults|coverage|bench [ARGUMENTS]`
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setUp } from './set-up/index.mjs';
import { asRoot, environment, node, report, root, runTask, SetupError, say } from './set-up/shared.mjs';

const MOCHA = join(root, 'node_modules/mocha/bin/mocha.js');
const REPORTER = join(root, 'scripts/mocha-reporter.cjs');

const TASKS = {
  start: { purpose: 'demo', run: (args) => runNode([join(root, 'scripts/start.mjs'), ...args]) },
  'demo:city': { purpose: 'demo', run: (args) => runNode([join(root, 'scripts/city.mjs'), ...args]) },
  test: { purpose: 'tests', run: runTests },
  'test:node-red-4': { purpose: 'tests', run: runTestsOfNodes },
  'test:faults': { purpose: 'tests', run: runFaults },
  coverage: { purpose: 'tests', run: runCoverage },
  bench: { purpose: 'tests', run: (args) => runNode([join(root, 'dist/test/bench/main.js'), ...args]) },
};

/** All tests but the long ones, with the newest Node-RED. */
function runTests(args) {
  const all = ['--ignore', 'dist/test/{faults,bench}/**', '--spec', 'dist/test/**/*.test.js'];
  return runMocha('Node-RED 5', [...all, '--timeout', '60000', ...args], { GARUA_NODE_RED: 'node-red' });
}

/** The tests of the nodes once more, with the oldest Node-RED that is supported. */
function runTestsOfNodes(args) {
  const nodes = ['--spec', 'dist/test/nodes/**/*.test.js', '--timeout', '60000'];
  return runMocha('Node-RED 4.1, nodes only', [...nodes, ...args], { GARUA_NODE_RED: 'node-red-4' });
}

/** Faults between hosts mostly wait for time to pass; they do so beside those of one machine, which mostly compute. */
const BETWEEN_HOSTS =
  'dist/test/faults/{checkpoint,fog,mesh,messages,migration,operators,roaming,scale,services,store,stream}*.test.js';

async function runFaults(args) {
  const always = ['--timeout', '300000', ...args];
  if (args.length > 0) return runMocha('faults', ['--spec', 'dist/test/faults/**/*.test.js', ...always]);
  const folder = mkdtempSync(join(tmpdir(), 'garua-faults-'));
  const file = join(folder, 'output');
  const output = openSync(file, 'w');
  try {
    const spec = ['--ignore', BETWEEN_HOSTS, '--spec', 'dist/test/faults/**/*.test.js'];
    const statuses = await Promise.all([
      runMocha('faults of one machine', [...spec, ...always]),
      runMocha('faults between hosts', ['--spec', BETWEEN_HOSTS, ...always], {}, ['ignore', output, output]),
    ]);
    // Its lines would have stood between those of the other.
    say(`\nTests: faults between hosts\n${readFileSync(file, 'utf8')}`);
    return Math.max(...statuses);
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Which lines of lib and nodes the tests ran: a table here, the sources in coverage/. Configured by .c8rc.json. */
function runCoverage(args) {
  return runNode([join(root, 'node_modules/c8/bin/c8.js'), node, MOCHA, ...args]);
}

function runMocha(lane, args, variables = {}, stdio = 'inherit') {
  if (stdio === 'inherit') say(`\nTests: ${lane}`);
  const always = ['--no-config', '--exit', '--forbid-pending', '--reporter', REPORTER];
  // Real processes, networks and clocks: once more where all is counted, and the count names what needed it.
  if (process.env.GARUA_TEST_COUNTS) always.push('--retries', '1');
  return runNode([MOCHA, ...always, ...args], { ...variables, GARUA_TEST_LANE: lane }, stdio);
}

/** Containers, mounts and network namespaces are root's. */
function runNode(args, variables = {}, stdio = 'inherit') {
  const env = environment(variables);
  const kept = Object.keys(env).filter((name) => /^(PATH|HOME|CI|GARUA_.*|npm_config_nodedir)$/.test(name));
  const passed = Object.fromEntries(kept.map((name) => [name, env[name]]));
  const [program, words] = asRoot(node, args, passed);
  if (program !== node) say('Containers need root: sudo may ask for your password.');
  return runTask(program, words, { env, stdio });
}

async function main([name, ...args]) {
  const task = TASKS[name];
  if (!task) {
    say(`usage: node scripts/with-toolchain.mjs ${Object.keys(TASKS).join('|')} [ARGUMENTS]`);
    process.exitCode = 2;
    return;
  }
  try {
    setUp(task.purpose);
    process.exitCode = await task.run(args);
  } catch (error) {
    if (error instanceof SetupError && error.reported) process.exitCode = error.exitCode;
    else report(error);
  }
}

main(process.argv.slice(2));
