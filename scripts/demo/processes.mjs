/** Programs that run beside the demo and end with it. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { environment, SetupError } from '../set-up/shared.mjs';

/**
 * Starts a program whose output goes to a log file. It is out of reach of the terminal's Ctrl+C, so that it
 * can be ended in order, and the kernel ends it should this process be killed.
 */
export function startBeside(program, args, logFile, options = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', program, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
    ...options,
  });
  const log = createWriteStream(logFile);
  const lines = [];
  const listeners = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      log.write(text);
      const parts = (rest + text).split('\n');
      rest = parts.pop();
      for (const line of parts) {
        lines.push(line);
        for (const listener of listeners) listener(line);
      }
      lines.splice(0, lines.length - 20);
    });
  }
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (status, signal) => resolve(signal ?? `status ${status}`));
  });
  return {
    pid: child.pid,
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    lastLines: () => lines.join('\n'),
    onLine: (listener) => listeners.add(listener),
    /** Asks it to end, and kills it when it does not. */
    async stop(signal = 'SIGTERM', patienceMs = 20_000) {
      child.kill(signal);
      const done = await Promise.race([ended, delay(patienceMs, undefined, { ref: false })]);
      if (done === undefined) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The first free TCP port of 127.0.0.1 from `first` on. */
export async function freePort(first) {
  for (let port = first; port < first + 100; port += 1) {
    if (await isFree(port)) return port;
  }
  throw new SetupError(
    'ERR_DEMO_NO_PORT',
    `the ports ${first} to ${first + 99} of 127.0.0.1 are all in use`,
    'End some of the programs that listen there.',
  );
}

export function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Asks until the address answers with success; false when the program has ended or time is up first. */
export async function waitForAnswer(url, ended, timeLimitMs) {
  let gone = false;
  ended.then(() => {
    gone = true;
  });
  const deadline = Date.now() + timeLimitMs;
  while (!gone && Date.now() < deadline) {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
    if (response?.ok) return true;
    await delay(100);
  }
  return false;
}
