import { join } from 'node:path';
import type { PullStrategy } from '../../../lib/image';
import { PROJECT } from '../harness/paths';
import { measure } from '../harness/processes';
import { removeTree } from '../harness/work-area';
import { GaruaPuller } from './garua';
import type { Puller, PullerSetting } from './puller';

const SCRIPT = join(PROJECT, 'dist', 'test', 'bench', 'children', 'pull-with-strategy.js');

/** The library with techniques switched off, in a new Node process for each pull. */
export class GaruaStrategyPuller implements Puller {
  readonly #data: string;

  constructor(
    readonly name: string,
    private readonly setting: PullerSetting,
    private readonly strategy: Partial<PullStrategy>,
  ) {
    this.#data = join(setting.folder, 'data');
  }

  available() {
    return new GaruaPuller(this.setting).available();
  }

  prepare() {
    return removeTree(this.#data);
  }

  pull(ref: string) {
    return measure(process.execPath, [SCRIPT, this.#data, ref, JSON.stringify(this.strategy)]);
  }

  cleanup() {
    return removeTree(this.#data);
  }
}
