import { measure } from '../harness/processes';
import type { Puller } from './puller';
import { toolVersion } from './version';

/** curl, which throws all bytes of the image away: no puller can be faster on a slow link. */
export class WirePuller implements Puller {
  readonly name = 'wire (curl)';

  constructor(private readonly urls: string[]) {}

  available() {
    return toolVersion('curl', ['curl', '--version']);
  }

  async prepare() {}

  pull() {
    const outputs = this.urls.flatMap((url) => ['--output', '/dev/null', url]);
    return measure('curl', ['--silent', '--show-error', '--fail', '--noproxy', '*', ...outputs]);
  }

  async cleanup() {}
}
