import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execute, ToolFailedError } from '../../../lib/base';
import { type CriuState, type Execute, knownCriu, prepareCriu, testCriu } from '../../../lib/host/setup';

type Behaviour = 'works' | 'fails its check' | 'cannot dump' | 'cannot restore';

/** A machine at the boundary of `execute`: CRIUs that behave so or so, and a mirror that answers or not. */
class FakeMachine {
  readonly calls: string[] = [];
  mirror = true;
  system: Behaviour = 'works';
  debian: Behaviour = 'works';
  readonly #restored: Server[] = [];

  constructor(readonly prefix: string) {}

  get systemCriu(): string {
    return join(this.prefix, 'system/criu');
  }

  readonly execute: Execute = async (tool, args) => {
    const answer = (stdout = '') => ({ exitCode: 0, stdout, stderr: '' });
    if (tool.endsWith('/criu')) return answer(await this.#criu(tool, args));
    this.calls.push(tool === 'apt-get' ? `apt-get ${args.at(-1)}` : tool);
    if (tool === 'dpkg' && args[0] === '--print-architecture') return answer('amd64\n');
    if (tool === 'apt-get' && !this.mirror) {
      throw new ToolFailedError('apt-get', 100, 'E: Failed to fetch x  Could not resolve host');
    }
    if (tool === 'apt-get' && args.includes('criu')) {
      const archives = args.find((word) => word.startsWith('Dir::Cache::archives='))!.split('=')[1]!;
      writeFileSync(join(archives, 'criu.deb'), '');
    }
    if (tool === 'dpkg' && args[0] === '-x') {
      putProgram(join(args[2]!, 'usr/sbin/criu'));
      putProgram(join(args[2]!, 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'));
    }
    return answer();
  };

  async #criu(program: string, args: string[]): Promise<string> {
    const own = program !== this.systemCriu;
    const behaviour = own ? this.debian : this.system;
    const [action] = args;
    this.calls.push(`${own ? 'private' : 'system'} ${action}`);
    const refuse = (step: Behaviour) => {
      if (behaviour === step) throw new ToolFailedError('criu', 1, `Error: ${step}`);
    };
    const folder = args[args.indexOf('--images-dir') + 1]!;
    if (action === '--version') return `Version: ${own ? '4.2.1' : '4.1.1'}\n`;
    if (action === 'check') refuse('fails its check');
    if (action === 'dump') {
      refuse('cannot dump');
      process.kill(Number(args.at(-1)), 'SIGKILL');
    }
    if (action === 'restore') {
      refuse('cannot restore');
      const server = createServer((socket) => socket.end('here'));
      this.#restored.push(server);
      const port = Number(readFileSync(join(folder, 'port'), 'utf8'));
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    }
    return '';
  }

  close(): void {
    for (const server of this.#restored) server.close();
  }
}

function putProgram(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '#!/bin/false\n');
  chmodSync(path, 0o755);
}

describe('host/setup CRIU', () => {
  let prefix: string;
  let machine: FakeMachine;
  beforeEach(() => {
    prefix = mkdtempSync(join(tmpdir(), 'garua-criu-prefix-'));
    machine = new FakeMachine(prefix);
    putProgram(machine.systemCriu);
    mkdirSync(join(prefix, 'apt'));
    writeFileSync(join(prefix, 'apt/sources.list'), 'deb http://m.example/debian bookworm main\n');
  });
  afterEach(() => {
    machine.close();
    rmSync(prefix, { recursive: true });
  });

  const prepare = (withSystem: boolean, kernel = '6.12') =>
    prepareCriu(prefix, {
      systemCriu: withSystem ? machine.systemCriu : null,
      kernel,
      aptFolder: join(prefix, 'apt'),
      execute: machine.execute,
    });

  const decisions: {
    name: string;
    system?: Behaviour;
    debian?: Behaviour;
    mirror?: boolean;
    chosen: 'system' | 'private' | 'none';
    rejected: RegExp[];
  }[] = [
    { name: "the system's, when it works", system: 'works', chosen: 'system', rejected: [] },
    { name: "Debian's newest, when the system has none", chosen: 'private', rejected: [] },
    {
      name: "Debian's newest, when the system's fails its check",
      system: 'fails its check',
      chosen: 'private',
      rejected: [/fails its check/],
    },
    {
      name: "Debian's newest, when the system's cannot dump",
      system: 'cannot dump',
      chosen: 'private',
      rejected: [/cannot dump/],
    },
    {
      name: "Debian's newest, when the system's cannot restore",
      system: 'cannot restore',
      chosen: 'private',
      rejected: [/cannot restore/],
    },
    {
      name: 'none, when neither works',
      system: 'cannot dump',
      debian: 'fails its check',
      chosen: 'none',
      rejected: [/cannot dump/, /fails its check/],
    },
    { name: 'none, when there is no network', mirror: false, chosen: 'none', rejected: [/cannot reach/] },
  ];
  for (const { name, system, debian, mirror, chosen, rejected } of decisions) {
    it(`chooses ${name}`, async () => {
      if (system) machine.system = system;
      if (debian) machine.debian = debian;
      if (mirror !== undefined) machine.mirror = mirror;
      const state = await prepare(system !== undefined);
      const programs = { system: machine.systemCriu, private: join(prefix, 'criu/bin/criu'), none: null };
      assert.equal(state.program, programs[chosen]);
      assert.equal(state.rejected.length, rejected.length);
      for (const [index, pattern] of rejected.entries()) assert.match(state.rejected[index]!.reason, pattern);
    });
  }

  const untested = (calls: string[]) => calls.every((call) => call.endsWith('--version'));

  it('does not try again what it has tried, whether it worked or not', async () => {
    for (const behaviour of ['works', 'cannot dump'] as const) {
      machine.system = behaviour;
      machine.debian = behaviour;
      const first = await prepare(true, behaviour);
      machine.calls.length = 0;
      assert.deepEqual(await prepare(true, behaviour), first);
      assert.ok(untested(machine.calls), machine.calls.join());
    }
  });

  it('tries again under another kernel', async () => {
    await prepare(true, '6.12');
    machine.calls.length = 0;
    await prepare(true, '6.18');
    assert.ok(machine.calls.includes('system dump'));
  });

  it('tries again when the network may be back', async () => {
    machine.mirror = false;
    await prepare(false);
    machine.mirror = true;
    assert.notEqual((await prepare(false)).program, null);
  });

  it('tries again when the program is gone', async () => {
    await prepare(false);
    rmSync(join(prefix, 'criu'), { recursive: true });
    const options = { systemCriu: null, kernel: '6.12', execute: machine.execute };
    assert.equal(await knownCriu(prefix, options), undefined);
  });

  it('leaves no half of a download behind', async () => {
    machine.mirror = false;
    await prepare(false);
    assert.deepEqual(readdirSync(prefix).sort(), ['apt', 'system']);
  });

  it('says so when there is no Debian mirror', async () => {
    writeFileSync(join(prefix, 'apt/sources.list'), 'deb http://m.example/ubuntu noble main\n');
    const { program, rejected } = await prepare(false);
    assert.equal(program, null);
    assert.match(rejected[0]!.reason, /none of the sources .* is a Debian mirror/);
  });

  it('stops one that hangs, and the process that it was tried on', async () => {
    let subject = 0;
    const hangs: Execute = (_tool, args, options) => {
      if (args[0] === '--version') return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
      if (args[0] === 'dump') subject = Number(args.at(-1));
      const program = args[0] === 'dump' ? 'sleep' : 'true';
      return execute(program, program === 'sleep' ? ['60'] : [], options);
    };
    const verdict = await testCriu('criu', { execute: hangs, timeLimitMs: 1000 });
    assert.deepEqual(verdict, { works: false, version: 'unknown', reason: 'it hung and was stopped' });
    assert.notEqual(subject, 0);
    while (isAlive(subject)) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('finds one that works on this very machine, as npm test has set it up', async () => {
    const toolchain = join(__dirname, '../../../../.toolchain');
    const state = JSON.parse(readFileSync(join(toolchain, 'criu.json'), 'utf8')) as CriuState;
    assert.ok(state.program, `no CRIU works on this kernel: ${JSON.stringify(state.rejected)}`);
    const before = leftovers();
    const verdict = await testCriu(state.program);
    assert.deepEqual(verdict, { works: true, version: state.version });
    assert.deepEqual(leftovers(), before);
  });
});

function leftovers(): string[] {
  return readdirSync(tmpdir()).filter((name) => /^garua-criu-(?!prefix)/.test(name));
}

/** A process that was killed and is only waiting to be reaped does not count. */
function isAlive(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/\) Z /.test(readFileSync(file, 'utf8'));
}
