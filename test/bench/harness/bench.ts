import type { ImageLibrary } from '../images/library';
import type { Cleanup } from './cleanup';
import type { Registry } from './registry';
import type { CaseResult } from './result';
import type { WorkArea } from './work-area';

/** What every case works with. */
export interface Bench {
  registry: Registry;
  images: ImageLibrary;
  area: WorkArea;
  cleanup: Cleanup;
  /** Fewer repetitions, smaller images. */
  quick: boolean;
  /** Only these pullers, when given. */
  pullers?: string[];
  /** Instead of the case's own number. */
  repetitions?: number;
  /** One line for the person who waits. */
  say(line: string): void;
}

export interface BenchCase {
  name: string;
  /** One line for `--list`. */
  summary: string;
  /** Part of `--quick`. */
  quick?: boolean;
  run(bench: Bench): Promise<CaseResult>;
}
