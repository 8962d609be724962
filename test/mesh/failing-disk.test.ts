import { equal } from 'node:assert/strict';
import { temporaryFolder } from '../support/temporary';
import { type Member, openMember } from './messages/support/fog';
import { eventually } from './support/mesh-process';

describe('a host whose disk takes nothing any more', () => {
  const folder = temporaryFolder();

  it('goes on meeting the others, and closes as always', async () => {
    const [host, first] = await Promise.all([
      openMember(folder.path, 'host'),
      openMember(folder.path, 'other'),
    ]);
    let other: Member | undefined = first;
    const stateOf = async () => host.mesh.hosts().find(({ name }) => name === 'other')?.state;
    try {
      await host.mesh.createFog();
      await other.mesh.join(await host.mesh.invite());
      await eventually(stateOf, 'up');
      // As a full or read-only file system: each change throws.
      host.database.pragma('query_only = true');
      await other.close();
      other = undefined;
      await eventually(async () => (await stateOf()) !== 'up', true);
      other = await openMember(folder.path, 'other');
      await eventually(stateOf, 'up', 40_000);
      const id = other.mesh.peerId;
      equal(host.mesh.host('other').peerId, id);
    } finally {
      await other?.close();
      await host.close();
    }
  });
});
