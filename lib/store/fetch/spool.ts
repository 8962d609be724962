import { join } from 'node:path';
import { IncomingObject } from '../nas/nas';
import { uniqueName } from '../nas/paths';
import type { StoreParts } from '../parts';

/** Where the blocks of a fetch go. */
export interface Spool {
  incoming: IncomingObject;
  /** Its journal entry while it lies on the NAS and becomes the object; undefined on this host's own disk. */
  journal: number | undefined;
}

/** Goes on with what an earlier fetch has left on the NAS, or starts anew, there if at all possible. */
export async function openSpool(parts: StoreParts, cid: string, fresh: boolean): Promise<Spool> {
  const { nas, journal } = parts;
  try {
    await nas.ready();
    const entries = journal.unfinished<{ path: string }>('store-fetch');
    for (const { id, subject, data } of entries) {
      if (subject !== cid) continue;
      const resumed = fresh ? undefined : await nas.create(data.path, true).catch(() => undefined);
      if (resumed) return { incoming: resumed, journal: id };
      await nas.disk.run('remove', data.path);
      journal.end(id);
    }
    const path = nas.paths.temporary();
    const id = journal.begin('store-fetch', cid, 'writing', { path });
    return { incoming: await nas.create(path), journal: id };
  } catch {
    return { incoming: await openOwnSpool(parts), journal: undefined };
  }
}

/** The NAS cannot take it: the object passes through this host's own disk, and is not kept. */
async function openOwnSpool({ spool: { disk, folder } }: StoreParts): Promise<IncomingObject> {
  await disk.run('makeFolders', [folder]);
  const path = join(folder, `${uniqueName()}.tmp`);
  const handle = disk.handle();
  await handle.run('createObject', [path]);
  // Gone with the last one who has it open.
  await disk.run('remove', path);
  return new IncomingObject(path, handle, 0);
}
