import { stat } from 'node:fs/promises';
import { withFound } from '../../base';
import { MountChangedError } from '../errors';
import type { Policy } from '../policy';
import type { CompleteSpec } from '../spec/complete';
import { resolveInRoot } from './rooted-path';

/**
 * Makes sure that a container that was created, but not started, has mounted what the policy allows. Between the
 * judgement of a path and its mount by runc whoever may write to one of its folders, such as another container, can
 * put a link there.
 *
 * @param pid the container's first process
 * @throws {PolicyRefusedError} {MountChangedError}
 */
export async function checkMounted({ mounts }: CompleteSpec, pid: number, policy: Policy): Promise<void> {
  if (!policy.restrictsMounts) return;
  const root = `/proc/${pid}/root`;
  for (const mount of mounts) {
    if (mount.type !== 'bind') continue;
    const { source, target } = mount;
    const allowed = await withFound(source, 'follow', async ({ status, place }) => {
      await policy.checkMount(source, place);
      return status;
    });
    const mounted = await stat(await resolveInRoot(root, target));
    if (mounted.dev !== allowed.dev || mounted.ino !== allowed.ino)
      throw new MountChangedError(source, target);
  }
}
