import { open } from 'node:fs/promises';
import { getSystemErrorMap } from 'node:util';
import type Koffi from 'koffi';

/**
 * The Linux system calls that node:fs lacks. Each but `syncFileSystem` is synchronous, so those
 * that may take long belong in a worker. Paths may be Buffers, since file names in layers need not be UTF-8.
 */
type Path = string | Buffer;

const pathType = 'const void *';

/** Loaded at the first call: it takes 11 ms and 8 MB of each thread that imports this file. */
let loaded: ReturnType<typeof load> | undefined;

function native(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}

function load() {
  const koffi = require('koffi') as typeof Koffi;
  const libc = koffi.load(null);
  const functions = {
    _exit: libc.func('_exit', 'void', ['int']),
    flock: libc.func('flock', 'int', ['int', 'int']),
    mknod: libc.func('mknod', 'int', [pathType, 'uint32', 'uint64']),
    lsetxattr: libc.func('lsetxattr', 'int', [pathType, 'const char *', 'const void *', 'size_t', 'int']),
    lremovexattr: libc.func('lremovexattr', 'int', [pathType, 'const char *']),
    llistxattr: libc.func('llistxattr', 'long', [pathType, 'void *', 'size_t']),
    lgetxattr: libc.func('lgetxattr', 'long', [pathType, 'const char *', 'void *', 'size_t']),
    lseek: libc.func('lseek', 'int64', ['int', 'int64', 'int']),
    utimensat: libc.func('utimensat', 'int', ['int', pathType, pathType, 'int']),
    futimens: libc.func('futimens', 'int', ['int', pathType]),
    ioctl: libc.func('ioctl', 'int', ['int', 'ulong', pathType]),
    syncfs: libc.func('syncfs', 'int', ['int']),
    mount: libc.func('mount', 'int', [pathType, pathType, 'const char *', 'ulong', 'const char *']),
    umount2: libc.func('umount2', 'int', [pathType, 'int']),
    adjtimex: libc.func('adjtimex', 'int', ['void *']),
    socket: libc.func('socket', 'int', ['int', 'int', 'int']),
    sendto: libc.func('sendto', 'long', ['int', pathType, 'size_t', 'int', pathType, 'uint32']),
    getsockopt: libc.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']),
    close: libc.func('close', 'int', ['int']),
  };
  return { koffi, functions };
}

const LOCK_EX = 2;
const LOCK_NB = 4;
const MNT_DETACH = 2;
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const EXT4_TOPDIR_FL = 0x00020000;
const FIONREAD = 0x541b;
const TIME_ERROR = 5;
const SIZE_OF_TIMEX = 208;
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0x80002;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;

/** Two `struct timespec` of a 64-bit system, filled anew for each call. */
const times = new BigInt64Array(4);
/** As much as the kernel allows for the names, and for one value (xattr(7)). */
const attributeNames = Buffer.alloc(64 << 10);
const attributeValue = Buffer.alloc(64 << 10);

/** Takes an exclusive lock on an open file, without waiting. The kernel drops it when the process ends. */
export function tryLockFile(descriptor: number): boolean {
  if (native().functions.flock(descriptor, LOCK_EX | LOCK_NB) === 0) return true;
  if (native().koffi.errno() === native().koffi.os.errno.EAGAIN) return false;
  throw systemError('flock', `file descriptor ${descriptor}`);
}

/** Makes a device, FIFO or socket node. `mode` includes the type bits (S_IFCHR ...). */
export function mknod(path: Path, mode: number, major: number, minor: number): void {
  check('mknod', path, native().functions.mknod(zeroTerminated(path), mode, makeDevice(major, minor)));
}

/** Sets an extended attribute on the path itself, never on what a symbolic link points to. */
export function lsetxattr(path: Path, name: string, value: Uint8Array): void {
  check('lsetxattr', path, native().functions.lsetxattr(zeroTerminated(path), name, value, value.length, 0));
}

export function lremovexattr(path: Path, name: string): void {
  check('lremovexattr', path, native().functions.lremovexattr(zeroTerminated(path), name));
}

/** The extended attributes of the path itself, by name; none where the file system has none. */
export function lgetxattrs(path: Path): Map<string, Buffer> {
  const { functions, koffi } = native();
  const found = new Map<string, Buffer>();
  const file = zeroTerminated(path);
  const length = Number(functions.llistxattr(file, attributeNames, attributeNames.length));
  if (length < 0) {
    if (koffi.errno() === koffi.os.errno.EOPNOTSUPP) return found;
    throw systemError('llistxattr', path);
  }
  for (const name of attributeNames.toString('utf8', 0, length).split('\0').slice(0, -1)) {
    const size = Number(functions.lgetxattr(file, name, attributeValue, attributeValue.length));
    // Gone since the names were read, or of a kind that only the kernel may read.
    if (size >= 0) found.set(name, Buffer.from(attributeValue.subarray(0, size)));
  }
  return found;
}

/** The next part of an open file that holds data, at or after `offset`: a sparse file has holes in between. */
export function nextData(descriptor: number, offset: number): { start: number; end: number } | undefined {
  const { functions, koffi } = native();
  const start = Number(functions.lseek(descriptor, offset, SEEK_DATA));
  if (start < 0) {
    if (koffi.errno() === koffi.os.errno.ENXIO) return undefined;
    throw systemError('lseek', `file descriptor ${descriptor}`);
  }
  return { start, end: Number(functions.lseek(descriptor, start, SEEK_HOLE)) };
}

/**
 * Sets access and modification time, exact to the nanosecond (node:fs rounds), of the path itself, never of
 * what a symbolic link points to.
 */
export function lutimes(path: Path, seconds: number, nanoseconds: number): void {
  check(
    'utimensat',
    path,
    native().functions.utimensat(
      AT_FDCWD,
      zeroTerminated(path),
      timePair(seconds, nanoseconds),
      AT_SYMLINK_NOFOLLOW,
    ),
  );
}

/** As `lutimes`, for an open file. */
export function futimes(descriptor: number, seconds: number, nanoseconds: number): void {
  check(
    'futimens',
    `file descriptor ${descriptor}`,
    native().functions.futimens(descriptor, timePair(seconds, nanoseconds)),
  );
}

/**
 * Tells an ext file system that the folders in this one have nothing to do with each other, so that it places
 * each in a region of its own (`chattr +T`). A hint: false where the file system does not know it.
 */
export function markUnrelatedFolders(descriptor: number): boolean {
  const flags = new BigInt64Array(1);
  if (native().functions.ioctl(descriptor, FS_IOC_GETFLAGS, flags) !== 0) return false;
  flags[0]! |= BigInt(EXT4_TOPDIR_FL);
  return native().functions.ioctl(descriptor, FS_IOC_SETFLAGS, flags) === 0;
}

/** Bytes that wait in a pipe (ioctl_tty(2)). */
export function waitingBytes(descriptor: number): number {
  const count = new Int32Array(1);
  const { functions } = native();
  check('ioctl', `file descriptor ${descriptor}`, functions.ioctl(descriptor, FIONREAD, count));
  return count[0]!;
}

/**
 * Writes all dirty data of the file system that holds `path` to the disk, on a thread of koffi's own: on an
 * SD card that may take many seconds.
 */
export async function syncFileSystem(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await new Promise<void>((resolve, reject) => {
      native().functions.syncfs.async(folder.fd, (error: Error | null, result: number) => {
        if (error) reject(error);
        else if (result === 0) resolve();
        else reject(systemError('syncfs', path));
      });
    });
  } finally {
    await folder.close();
  }
}

/**
 * Ends the process without waiting for threads that hang in the kernel. Nothing runs after it, not even what
 * was registered for the end.
 */
export function exitAtOnce(status: number): void {
  native().functions._exit(status);
}

/** mount(2); `options` is the file system's own option string, at most one page long. */
export function mount(source: Path, target: Path, type: string, flags: number, options: string): void {
  check(
    'mount',
    target,
    native().functions.mount(zeroTerminated(source), zeroTerminated(target), type, flags, options),
  );
}

/** Unmounts, at once for new users and later for those that still hold it. */
export function unmountDetached(target: Path): void {
  check('umount', target, native().functions.umount2(zeroTerminated(target), MNT_DETACH));
}

/** Whether some program keeps the kernel's clock right (adjtimex(2)); undefined when the kernel does not say. */
export function kernelClockSynchronised(): boolean | undefined {
  // All zero asks without setting anything.
  const state = native().functions.adjtimex(Buffer.alloc(SIZE_OF_TIMEX));
  return state < 0 ? undefined : state !== TIME_ERROR;
}

/**
 * Sends one message to a Unix datagram socket, which node:net cannot. A path that starts with `@` is one of
 * the abstract names of unix(7).
 */
export function sendDatagram(path: string, message: string): void {
  const { functions } = native();
  const name = Buffer.from(path.replace(/^@/, '\0'));
  const address = Buffer.concat([Buffer.from(new Uint16Array([AF_UNIX]).buffer), name]);
  const descriptor = functions.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (descriptor < 0) throw systemError('socket', path);
  try {
    const data = Buffer.from(message);
    const sent = functions.sendto(descriptor, data, data.length, MSG_NOSIGNAL, address, address.length);
    if (Number(sent) < 0) throw systemError('sendto', path);
  } finally {
    functions.close(descriptor);
  }
}

/** The number of the user whose process has connected a Unix socket (unix(7), SO_PEERCRED). */
export function peerUser(descriptor: number): number {
  // struct ucred: pid, uid, gid.
  const credentials = new Uint32Array(3);
  const size = new Uint32Array([credentials.byteLength]);
  const result = native().functions.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, credentials, size);
  check('getsockopt', `file descriptor ${descriptor}`, result);
  return credentials[1]!;
}

function timePair(seconds: number, nanoseconds: number): BigInt64Array {
  times[0] = times[2] = BigInt(seconds);
  times[1] = times[3] = BigInt(nanoseconds);
  return times;
}

function zeroTerminated(path: Path): Buffer {
  return Buffer.concat([typeof path === 'string' ? Buffer.from(path) : path, Buffer.alloc(1)]);
}

/** The encoding of glibc's makedev(3). */
function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}

function check(call: string, path: Path, result: number): void {
  if (result !== 0) throw systemError(call, path);
}

function systemError(call: string, path: Path): NodeJS.ErrnoException {
  const errno = native().koffi.errno();
  const [code, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error'];
  return Object.assign(new Error(`${code}: ${text}, ${call} '${path}'`), {
    errno,
    code,
    syscall: call,
    path: `${path}`,
  });
}
