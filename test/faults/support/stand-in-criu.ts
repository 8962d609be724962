import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Words for what the stand-in does instead of CRIU's work; its version it tells all the same. */
const FAULTS = { fails: 'exit 1', hangs: 'exec sleep 600' };

/** A `criu` that comes before the machine's own and does what that does, until it is told to fail. */
export class StandInCriu {
  readonly #folder: string;
  /** Folders of programs as they are here, but for those that hold the machine's own CRIU. */
  readonly #others: string[];

  constructor(folder: string) {
    this.#folder = folder;
    const all = (process.env.PATH ?? '').split(':').filter(Boolean);
    const own = all.map((path) => join(path, 'criu')).find((path) => existsSync(path));
    this.#others = all.filter((path) => !existsSync(join(path, 'criu')) || existsSync(join(path, 'runc')));
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      this.#program,
      `#!/bin/sh
[ "$1" = --version ] && [ -e "${folder}/version" ] && exec cat "${folder}/version"
[ "$1" != --version ] && [ -e "${folder}/fault" ] && . "${folder}/fault"
exec ${own} "$@"
`,
    );
    chmodSync(this.#program, 0o755);
  }

  /** For a daemon. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, PATH: [this.#folder, ...this.#others].join(':') };
  }

  pretend(fault: keyof typeof FAULTS): void {
    writeFileSync(join(this.#folder, 'fault'), `${FAULTS[fault]}\n`);
  }

  pretendVersion(version: string): void {
    writeFileSync(join(this.#folder, 'version'), `Version: ${version}\n`);
  }

  /** Takes it away. */
  hide(): void {
    renameSync(this.#program, `${this.#program}.hidden`);
  }

  /** Is CRIU again. */
  restore(): void {
    if (existsSync(`${this.#program}.hidden`)) renameSync(`${this.#program}.hidden`, this.#program);
    for (const file of ['fault', 'version']) rmSync(join(this.#folder, file), { force: true });
  }

  get #program(): string {
    return join(this.#folder, 'criu');
  }
}
