/** What `npm start` starts, from its first word to Ctrl+C. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { garuaJson } from '../support/garua';
import { PROJECT } from '../support/node-red';
import { temporaryFolder } from '../support/temporary';
import { mountsBelow, processesWith } from './tools';

describe('faults: the demo', () => {
  const folder = temporaryFolder();
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  it('deploys its container, says where everything is, and leaves nothing running after Ctrl+C', async () => {
    const state = folder.path;
    const data = join(state, 'data');
    const demo = startDemo(state);
    child = demo.child;
    await demo.says(/is running \(process \d+/);
    const page = /Its page\s+(\S+)/.exec(demo.output())![1]!;
    const editor = /Editor\s+(\S+)/.exec(demo.output())![1]!;

    assert.match(await (await fetch(page)).text(), /<h1>city-sensor<\/h1>/);
    assert.ok((await fetch(`${editor}flows`)).ok);
    const [container] = await garuaJson<{ name: string; state: string }[]>(data, 'ps');
    assert.deepEqual([container!.name, container!.state], ['city-sensor', 'running']);

    const second = startDemo(state);
    assert.equal(await second.ended, 1);
    assert.match(second.output(), /ERR_DEMO_RUNS_ALREADY/);

    child.kill('SIGINT');
    assert.equal(await demo.ended, 0, demo.output());
    assert.deepEqual(await garuaJson(data, 'ps'), []);
    assert.deepEqual(mountsBelow(state), []);
    assert.deepEqual(processesWith(state), []);
  });
});

function startDemo(state: string) {
  const process_ = spawn(process.execPath, [join(PROJECT, 'scripts/start.mjs')], {
    env: { ...process.env, GARUA_DEMO_STATE: state },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [process_.stdout, process_.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => process_.once('close', resolve));
  const says = async (pattern: RegExp) => {
    while (!pattern.test(output)) {
      assert.equal(process_.exitCode, null, output);
      await delay(100);
    }
  };
  return { child: process_, ended, output: () => output, says };
}
