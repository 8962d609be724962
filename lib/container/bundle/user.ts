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
 * /etc/group, or a number, which need not be listed there. Without a group, the user's own group and all
 * groups that list the user count.
 *
 * @throws {UserNotFoundError}
 */
export async function resolveUser(root: string, text: string, image: string): Promise<ResolvedUser> {
  const [wantedUser = '', wantedGroup] = (text || '0').split(':');
  const users = parseTable(await readInRoot(root, '/etc/passwd'));
  const user =
    users.find((fields) => fields[0] === wantedUser) ?? users.find((fields) => fields[2] === wantedUser);
  const uid = toId(user?.[2] ?? wantedUser);
  if (uid === undefined) throw new UserNotFoundError('user', wantedUser, image);
  const home = user?.[5] || '/';
  const ownGid = toId(user?.[3] ?? '0') ?? 0;
  const groups = parseTable(await readInRoot(root, '/etc/group'));
  if (wantedGroup !== undefined) {
    const group =
      groups.find((fields) => fields[0] === wantedGroup) ??
      groups.find((fields) => fields[2] === wantedGroup);
    const gid = toId(group?.[2] ?? wantedGroup);
    if (gid === undefined) throw new UserNotFoundError('group', wantedGroup, image);
    return { uid, gid, additionalGids: [gid], home };
  }
  const memberships = groups
    .filter((fields) => user && (fields[3] ?? '').split(',').includes(user[0]!))
    .map((fields) => toId(fields[2] ?? ''))
    .filter((gid) => gid !== undefined);
  return { uid, gid: ownGid, additionalGids: [...new Set([ownGid, ...memberships])], home };
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
