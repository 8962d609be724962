import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PullResult } from '../../../lib/image/image';
import { PROJECT } from '../harness/paths';
import { type MeasureOptions, measure } from '../harness/processes';
import { removeTree } from '../harness/work-area';
import type { Availability, Puller, PullerSetting } from './puller';

/** This project's command line, a new Node process for each pull. */
export class GaruaPuller implements Puller {
  readonly name = 'garua';
  readonly #data: string;

  constructor(
    setting: PullerSetting,
    private readonly options: MeasureOptions = {},
  ) {
    this.#data = join(setting.folder, 'data');
  }

  async available(): Promise<Availability> {
    const { version, bin } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
    if (!existsSync(join(PROJECT, bin.garua))) return { missing: 'not built (npm run build)' };
    return { version: `${version}, Node ${process.versions.node}` };
  }

  prepare(): Promise<void> {
    return removeTree(this.#data);
  }

  async pull(ref: string) {
    const command = join(PROJECT, 'dist', 'lib', 'cli', 'main.js');
    const args = [command, 'pull', ref, '--insecure', '--json', '--data', this.#data];
    const measured = await measure(process.execPath, args, this.options);
    return { ...measured, document: JSON.parse(measured.stdout) as PullResult };
  }

  cleanup(): Promise<void> {
    return removeTree(this.#data);
  }
}
