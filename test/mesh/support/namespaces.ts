import { execFileSync } from 'node:child_process';

const ip = (...words: string[]) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });

/** Network namespaces on one bridge, one host each, that can be cut off. Needs root. */
export class Namespaces {
  readonly #prefix: string;
  readonly #subnet: string;
  readonly #made: string[] = [];

  /** `prefix`: at most six letters; `subnet`: three numbers such as `10.77.31`. */
  constructor(prefix: string, subnet: string) {
    this.#prefix = prefix;
    this.#subnet = subnet;
    this.remove(8);
    ip('link', 'add', this.#bridge, 'type', 'bridge');
    ip('link', 'set', this.#bridge, 'up');
  }

  get #bridge(): string {
    return `${this.#prefix}br`;
  }

  /** Makes a namespace and answers its name and address. */
  add(): { namespace: string; address: string } {
    const number = this.#made.length + 1;
    const namespace = `${this.#prefix}${number}`;
    const address = `${this.#subnet}.${number}`;
    ip('netns', 'add', namespace);
    ip('link', 'add', this.#outside(number), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    ip('link', 'set', this.#outside(number), 'master', this.#bridge, 'up');
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'brd', '+', 'dev', 'eth0');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'route', 'add', 'default', 'dev', 'eth0');
    this.#made.push(namespace);
    return { namespace, address };
  }

  /** Packets are lost without a word, as when a line is cut. */
  cut(namespace: string): void {
    ip('link', 'set', this.#outside(this.#made.indexOf(namespace) + 1), 'nomaster');
  }

  heal(namespace: string): void {
    ip('link', 'set', this.#outside(this.#made.indexOf(namespace) + 1), 'master', this.#bridge);
  }

  remove(count = this.#made.length): void {
    for (let number = 1; number <= count; number += 1) quietly('netns', 'del', `${this.#prefix}${number}`);
    quietly('link', 'del', this.#bridge);
  }

  #outside(number: number): string {
    return `${this.#prefix}v${number}`;
  }
}

function quietly(...words: string[]): void {
  try {
    ip(...words);
  } catch {
    // It was not there.
  }
}
