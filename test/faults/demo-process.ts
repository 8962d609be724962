import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT } from '../support/node-red';

/** A demo of this checkout in a process of its own. */
export interface Demo {
  child: ChildProcess;
  /** Its exit status. */
  ended: Promise<number | null>;
  output(): string;
  /** Waits until it has printed this; rejects when it has ended before. */
  says(pattern: RegExp): Promise<void>;
}

/** Starts a script of `scripts/`; `variables` say where it keeps its state. */
export function startDemo(script: string, variables: Record<string, string>): Demo {
  const child = spawn(process.execPath, [join(PROJECT, 'scripts', script)], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const says = async (pattern: RegExp) => {
    while (!pattern.test(output)) {
      assert.equal(child.exitCode, null, output);
      await delay(100);
    }
  };
  return { child, ended, output: () => output, says };
}
