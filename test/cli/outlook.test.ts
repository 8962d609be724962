import assert from 'node:assert/strict';
import type { Outlook } from '../../lib/host';
import { garua, garuaJson } from '../support/garua';
import { temporaryFolder } from '../support/temporary';

describe('garua outlook', function () {
  this.timeout(60_000);
  const folder = temporaryFolder();

  it('shows the host, and what is known of a user', async () => {
    const { self, others, containers } = await garuaJson<Outlook>(folder.path, 'outlook');
    assert.deepEqual([others, containers], [[], []]);
    const { stdout } = await garua(folder.path, 'outlook', '--user', '127.0.0.1:9');
    assert.match(stdout, /^SITE +HOST +FREE CORES +FREE MEMORY +TO 127\.0\.0\.1:9/);
    assert.ok(stdout.includes(self.name));
    const { stderr, status } = await garua(folder.path, 'outlook', '--user', 'nobody');
    assert.equal(status, 1);
    assert.match(stderr, /^error ERR_MESH_NO_FOG: /);
  });
});
