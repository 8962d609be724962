import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileFacts, type FreeSpace, LocalMachine } from '../../../lib/host/machine';

/** The folders are no TypeScript: they stay where the sources are. */
const FIXTURES = join(__dirname, '../../../../test/host/doctor/fixtures');

/** What a machine says that is in no file; see fixtures/NAME/machine.json. */
interface Facts {
  architecture: string;
  kernelArchitecture: string;
  nodeVersion: string;
  userId: number;
  now: string;
  clockSynchronised: boolean;
  free: FreeSpace;
  programs: Record<string, string>;
  outputs: Record<string, string>;
  moduleTroubles?: Record<string, string>;
  owners?: Record<string, { userId: number; mode: string }>;
}

/** A copy of a recorded machine: what is written to it is written to real files. */
export class FixtureMachine extends LocalMachine {
  override readonly architecture: string;
  override readonly kernelArchitecture: string;
  override readonly nodeVersion: string;
  override userId: number;
  readonly settings: Facts;
  /** What was run to change something. */
  readonly commands: string[] = [];
  /** Called before each change: throws to play a power cut. */
  beforeChange: (what: string) => void = () => {};

  constructor(name: string) {
    const root = mkdtempSync(join(tmpdir(), `garua-machine-${name}-`));
    super(root);
    cpSync(join(FIXTURES, name, 'root'), root, { recursive: true });
    this.settings = JSON.parse(readFileSync(join(FIXTURES, name, 'machine.json'), 'utf8')) as Facts;
    this.architecture = this.settings.architecture;
    this.kernelArchitecture = this.settings.kernelArchitecture;
    this.nodeVersion = this.settings.nodeVersion;
    this.userId = this.settings.userId;
  }

  override now(): number {
    return Date.parse(this.settings.now);
  }

  override async which(program: string): Promise<{ path: string; onPath: boolean } | undefined> {
    const path = this.settings.programs[program];
    // A user's PATH on Debian has no sbin.
    return path ? { path, onPath: this.userId === 0 || !path.includes('/sbin/') } : undefined;
  }

  override async run(program: string, ...words: string[]): Promise<string | undefined> {
    if (program !== 'getent') return this.settings.outputs[[program, ...words].join(' ')];
    const [table, name] = words;
    const lines = ((await this.read(`/etc/${table}`)) ?? '').split('\n');
    return lines.find((line) => line.startsWith(`${name}:`));
  }

  override async free(): Promise<FreeSpace> {
    return this.settings.free;
  }

  override async clockSynchronised(): Promise<boolean> {
    return this.settings.clockSynchronised;
  }

  override async moduleTrouble(name: string): Promise<string | undefined> {
    return this.settings.moduleTroubles?.[name];
  }

  override async facts(path: string): Promise<FileFacts | undefined> {
    const owner = this.settings.owners?.[path];
    if (!(await this.exists(path))) return undefined;
    return { userId: owner?.userId ?? 0, groupId: 0, mode: Number.parseInt(owner?.mode ?? '755', 8) };
  }

  override async write(path: string, content: string, mode?: number): Promise<void> {
    this.beforeChange(`write ${path}`);
    await super.write(path, content, mode);
  }

  override async setKernelValue(path: string, value: string): Promise<void> {
    this.beforeChange(`set ${path}`);
    await super.setKernelValue(path, value);
  }

  override async execute(program: string, ...words: string[]): Promise<void> {
    this.beforeChange([program, ...words].join(' '));
    this.commands.push([program, ...words].join(' '));
    if (program === 'systemctl') await this.#systemctl(words[0]!, words.at(-1)!);
    else if (program === 'groupadd')
      await this.#changeGroups((groups) => [...groups, `${words.at(-1)}:x:987:`]);
    else if (program === 'groupdel') {
      await this.#changeGroups((groups) => groups.filter((line) => !line.startsWith(`${words[0]}:`)));
    } else if (program === 'usermod') {
      const [, , group, user] = words;
      await this.#changeGroups((groups) =>
        groups.map((line) => (line.startsWith(`${group}:`) ? `${line},${user}`.replace(':,', ':') : line)),
      );
    }
  }

  async #systemctl(action: string, unit: string): Promise<void> {
    const wants = unit.endsWith('.timer') ? 'timers.target.wants' : 'multi-user.target.wants';
    const link = `/etc/systemd/system/${wants}/${unit}`;
    if (action === 'enable') await super.write(link, '');
    if (action === 'restart') this.settings.outputs[`systemctl is-active ${unit}`] = 'active\n';
    if (action !== 'disable') return;
    await super.remove(link);
    delete this.settings.outputs[`systemctl is-active ${unit}`];
  }

  async #changeGroups(change: (groups: string[]) => string[]): Promise<void> {
    const groups = ((await this.read('/etc/group')) ?? '').split('\n').filter(Boolean);
    await super.write(
      '/etc/group',
      change(groups)
        .map((line) => `${line}\n`)
        .join(''),
    );
  }

  /** Every file and its content, for comparing before and after. */
  files(): Record<string, string> {
    const names = readdirSync(this.root, { recursive: true, encoding: 'utf8' });
    const paths = names.filter((name) => statSync(join(this.root, name)).isFile()).sort();
    return Object.fromEntries(paths.map((name) => [`/${name}`, readFileSync(join(this.root, name), 'utf8')]));
  }

  close(): void {
    if (existsSync(this.root)) rmSync(this.root, { recursive: true });
  }
}

/** Makes machines that go away after each test of the suite. Call it inside `describe`. */
export function fixtureMachines(): (name: string) => FixtureMachine {
  const open: FixtureMachine[] = [];
  afterEach(() => {
    for (const machine of open.splice(0)) machine.close();
  });
  return (name) => {
    const machine = new FixtureMachine(name);
    open.push(machine);
    return machine;
  };
}
