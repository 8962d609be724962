import { UserNotFoundError } from '../errors';
import { readInRoot } from './rooted-path';

export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
  home: string;
}

/**
 * Who a container runs as, by Docker's rules: `user[:group]`, each a name of the image's /etc/passwd or
 * /etc/group, or a number, which need not be listed there and is never taken for a name. Without a group, the user's own
 * group and all groups that list the user count.
 *
 * `more`: further groups, as names or numbers.
 *
 * @throws {UserNotFoundError}
 */
export async function resolveUser(
  root: string,
  text: string,
  more: string[],
  image: string,
): Promise<ResolvedUser> {
  const [wantedUser = '', wantedGroup] = (text || '0').split(':');
  const users = parseTable(await readInRoot(root, '/etc/passwd'));
  const number = toId(wantedUser);
  const user = users.find((fields) =>
    number === undefined ? fields[0] === wantedUser : toId(fields[2]!) === number,
  );
  const uid = number ?? toId(user?.[2] ?? '');
  if (uid === undefined) throw new UserNotFoundError('user', wantedUser, image);
  const home = user?.[5] || '/';
  const groups = parseTable(await readInRoot(root, '/etc/group'));
  const toGid = (wanted: string, field: 'user' | 'groups') => {
    const gid = toId(wanted) ?? toId(groups.find((fields) => fields[0] === wanted)?.[2] ?? '');
    if (gid === undefined) throw new UserNotFoundError('group', wanted, image, field);
    return gid;
  };
  const added = more.map((group) => toGid(group, 'groups'));
  if (wantedGroup !== undefined) {
    const gid = toGid(wantedGroup, 'user');
    return { uid, gid, additionalGids: [...new Set([gid, ...added])], home };
  }
  // An entry without a group that can be used must not make its user a member of root's.
  const ownGid = user ? toId(user[3] ?? '') : 0;
  if (ownGid === undefined) throw new UserNotFoundError('group', user?.[3] ?? '', image);
  const memberships = groups
    .filter((fields) => user && (fields[3] ?? '').split(',').includes(user[0]!))
    .map((fields) => toId(fields[2] ?? ''))
    .filter((gid) => gid !== undefined);
  return { uid, gid: ownGid, additionalGids: [...new Set([ownGid, ...memberships, ...added])], home };
}

function parseTable(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter((fields) => fields.length >= 3 && !fields[0]!.startsWith('#'));
}

function toId(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}
