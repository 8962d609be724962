/**
 * The store is loaded only where objects are used: most commands need none.
 *
 * What it shares with the mesh are ES modules. To require() one that is being imported at the same time fails, and
 * then for good: they are imported before.
 */
export async function loadStore() {
  await Promise.all([import('multiformats/cid'), import('multiformats/hashes/digest')]);
  return import('../../store/index.js');
}
