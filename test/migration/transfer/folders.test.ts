import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import koffi from 'koffi';
import { lgetxattrs, lsetxattr, mknod } from '../../../lib/base';
import { type FolderOptions, receive, Sender } from '../../../lib/migration/transfer';
import { FolderWriter } from '../../../lib/migration/transfer/folder/writer';
import { temporaryFolder } from '../../support/temporary';
import { streamPair } from './pair';

const MEBIBYTE = 1 << 20;

/** All that matters of a tree, by an independent program. */
function describeTree(folder: string): string {
  const format = '%P %y %m %U:%G %s %T@ %n %l\\n';
  const list = execFileSync('find', [folder, '-printf', format], { encoding: 'latin1' });
  // The size of a folder is the file system's own affair.
  const lines = list.split('\n').map((line) => line.replace(/^(.* d \S+ \S+) \d+ /, '$1 - '));
  const sums = execFileSync('sh', ['-c', 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum'], {
    cwd: folder,
    encoding: 'latin1',
  });
  return `${lines.sort().join('\n')}\n${sums}`;
}

describe('copying folders in rounds', () => {
  const temporary = temporaryFolder();
  let source: string;
  let target: string;
  let sender: Sender;
  let receiving: Promise<void>;
  let number = 0;

  const send = async (options?: FolderOptions) => {
    const bytes = await sender.sendFolders([{ name: 'upper', path: source, mountedAt: [source] }], options);
    await sender.settle({ toDisk: true });
    return bytes;
  };
  const same = () => assert.equal(describeTree(target), describeTree(source));
  const at = (name: string) => join(source, name);

  beforeEach(async () => {
    number += 1;
    [source, target] = [temporary.join(`source${number}`), temporary.join(`target${number}`)];
    for (const folder of [source, target]) mkdirSync(folder, { recursive: true });
    const [near, far] = streamPair();
    const folders = new Map([['upper', target]]);
    receiving = receive(far, {
      folders,
      images: temporary.path,
      log: temporary.join('log'),
      pageLimit: 0,
    }).catch(() => {});
    sender = await Sender.open(near);
  });

  afterEach(async () => {
    await sender.close();
    await receiving;
  });

  it('keeps owners, modes, times, attributes, links, devices and names of any bytes', async () => {
    mkdirSync(at('a/b'), { recursive: true });
    writeFileSync(at('a/b/file'), 'content');
    chownSync(at('a/b/file'), 1234, 4321);
    chmodSync(at('a/b/file'), 0o4751);
    utimesSync(at('a/b/file'), 1000, 1234.5);
    lsetxattr(at('a/b/file'), 'user.note', Buffer.from('x\0y'));
    linkSync(at('a/b/file'), at('a/second'));
    symlinkSync('../nowhere', at('a/link'));
    symlinkSync('/etc', at('outside'));
    mknod(at('a/whiteout'), 0o020000, 0, 0);
    mknod(at('a/fifo'), 0o010644, 0, 0);
    mkdirSync(at('opaque'));
    lsetxattr(at('opaque'), 'trusted.overlay.opaque', Buffer.from('y'));
    lsetxattr(at('opaque'), 'trusted.overlay.origin', Buffer.from('of this host'));
    writeFileSync(Buffer.concat([Buffer.from(`${source}/odd`), Buffer.from([0xff, 0xfe])]), 'odd');
    writeFileSync(at('empty'), '');
    writeFileSync(at('large'), Buffer.alloc(3 * MEBIBYTE + 17, 'large'));
    chmodSync(source, 0o711);
    await send();
    same();
    assert.equal(statSync(join(target, 'a/second')).ino, statSync(join(target, 'a/b/file')).ino);
    assert.equal(lstatSync(join(target, 'a/whiteout')).rdev, 0);
    const marks = lgetxattrs(join(target, 'opaque'));
    assert.deepEqual([...marks.keys()], ['trusted.overlay.opaque']);
    assert.equal(lgetxattrs(join(target, 'a/b/file')).get('user.note')!.toString(), 'x\0y');
  });

  it('sends only what has changed, and of a large file only its changed blocks', async () => {
    writeFileSync(at('database'), Buffer.alloc(20 * MEBIBYTE, 'abc'));
    writeFileSync(at('other'), Buffer.alloc(5 * MEBIBYTE, 'def'));
    assert.ok((await send()) > 25 * MEBIBYTE);
    const file = openSync(at('database'), 'r+');
    writeSync(file, 'changed', 7 * MEBIBYTE);
    closeSync(file);
    const bytes = await send();
    assert.ok(bytes < MEBIBYTE, `${bytes} bytes for one block`);
    same();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await send();
    assert.ok((await send()) < 4096);
  });

  it('follows removals, renames and entries that become something else', async () => {
    mkdirSync(at('gone/deep/deeper'), { recursive: true });
    writeFileSync(at('gone/deep/file'), '1');
    writeFileSync(at('becomes-folder'), '2');
    mkdirSync(at('becomes-file'));
    writeFileSync(at('becomes-file/inside'), '3');
    writeFileSync(at('stays'), '4');
    symlinkSync('stays', at('becomes-regular'));
    linkSync(at('stays'), at('twin'));
    await send();
    same();
    rmSync(at('gone'), { recursive: true });
    unlinkSync(at('becomes-folder'));
    mkdirSync(at('becomes-folder'));
    writeFileSync(at('becomes-folder/inside'), '5');
    rmSync(at('becomes-file'), { recursive: true });
    writeFileSync(at('becomes-file'), '6');
    unlinkSync(at('becomes-regular'));
    writeFileSync(at('becomes-regular'), '7');
    renameSync(at('stays'), at('moved'));
    await send();
    same();
    unlinkSync(at('twin'));
    writeFileSync(at('twin'), 'on its own');
    appendFileSync(at('moved'), 'more');
    await send();
    same();
    assert.equal(readFileSync(join(target, 'moved'), 'utf8'), '4more');
  });

  it('keeps holes, also where there was data before', async () => {
    const file = openSync(at('sparse'), 'w');
    ftruncateSync(file, 1 << 30);
    writeSync(file, 'middle', 500 * MEBIBYTE);
    closeSync(file);
    const bytes = await send();
    assert.ok(bytes < 2 * MEBIBYTE, `${bytes} bytes`);
    assert.ok(statSync(join(target, 'sparse')).blocks * 512 < 2 * MEBIBYTE);
    execFileSync('fallocate', ['-p', '-o', String(500 * MEBIBYTE), '-l', '1048576', at('sparse')]);
    await send();
    const [one, other] = [source, target].map((folder) => {
      const sparse = openSync(join(folder, 'sparse'), 'r');
      const part = Buffer.alloc(MEBIBYTE);
      readSync(sparse, part, 0, MEBIBYTE, 500 * MEBIBYTE);
      closeSync(sparse);
      return part;
    });
    assert.ok(one!.equals(other!));
  });

  it('copes with files that change and vanish while they are copied', async () => {
    for (let index = 0; index < 300; index += 1) writeFileSync(at(`f${index}`), Buffer.alloc(20_000, index));
    let going = true;
    const churn = (async () => {
      for (let index = 0; going; index = (index + 7) % 300) {
        rmSync(at(`f${index}`), { force: true });
        appendFileSync(at(`f${(index + 150) % 300}`), 'more');
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let round = 0; round < 3; round += 1) await send();
    going = false;
    await churn;
    await send();
    same();
  });

  it('finds what was written through shared memory, of which the times of a file tell nothing', async () => {
    writeFileSync(at('mapped'), Buffer.alloc(2 * MEBIBYTE, 'abc'));
    linkSync(at('mapped'), at('another'));
    const memory = mapShared(at('mapped'));
    const processes = async () => [process.pid];
    const round = () => send({ processes });
    // The kernel notes the first write only.
    memory[0] = 1;
    // A file that was changed a moment ago is looked at again in any case.
    await delay(400);
    await round();
    memory[MEBIBYTE] = 2;
    assert.ok((await round()) < MEBIBYTE);
    same();
    memory[1] = 3;
    // It may have been unmapped by the next round.
    await send();
    same();
  });
});

/** The content of a file as memory of this process, until its end. */
function mapShared(path: string): Uint8Array {
  const mmap = koffi
    .load(null)
    .func('void *mmap(void *address, size_t length, int protection, int flags, int file, long offset)');
  const [READ_WRITE, SHARED] = [3, 1];
  const file = openSync(path, 'r+');
  const { size } = statSync(path);
  const address = mmap(null, size, READ_WRITE, SHARED, file, 0);
  closeSync(file);
  return new Uint8Array(koffi.view(address, size));
}

describe('a target of copied folders', () => {
  const temporary = temporaryFolder();

  /** What a host that means no good could send. */
  function refuses(...changes: object[]): void {
    const target = temporary.join(`t${Math.random()}`);
    mkdirSync(target);
    const writer = new FolderWriter(target);
    assert.throws(() => writer.apply(changes as never[], Buffer.from('bad')));
    assert.equal(readFileSync(temporary.join('secret'), 'utf8'), 'good');
  }

  it('lets no path lead out of the folder', () => {
    writeFileSync(temporary.join('secret'), 'good');
    const attributes = { mode: 0o777, uid: 0, gid: 0, modified: [0, 0], xattrs: [] };
    const write = (path: string) => [
      { change: 'file', path, fresh: false },
      { change: 'data', path, offset: 0, size: 3 },
    ];
    refuses(...write('../secret'));
    refuses(...write('/secret'));
    refuses(...write('a//b'));
    refuses({ change: 'symlink', path: 'up', target: '..', attributes }, ...write('up/secret'));
    const link = { change: 'symlink', path: 'secret', target: temporary.join('secret'), attributes };
    refuses(link, ...write('secret'));
    refuses(
      { change: 'folder', path: 'up', attributes },
      { change: 'remove', path: 'up' },
      {
        change: 'symlink',
        path: 'up',
        target: '..',
        attributes,
      },
      ...write('up/secret'),
    );
    refuses({ change: 'remove', path: '' });
    refuses({ change: 'link', path: 'mine', to: '../secret' });
  });
});
