/** Who owns a file and who may change it. */
export interface FileFacts {
  userId: number;
  groupId: number;
  /** Permission bits only, such as 0o644. */
  mode: number;
}

export interface FreeSpace {
  /** For everybody, root's reserve not counted. */
  bytes: number;
  /** Undefined where the file system makes inodes as needed (btrfs, vfat). */
  inodes: number | undefined;
}

/**
 * What the doctor, the tuning and the set-up look at: this machine, or a fixture of another. Nothing throws
 * for what is not there, and nothing blocks: a dead network mount must not stop Node-RED.
 */
export interface Machine {
  /** Node.js' name of its own architecture, such as `arm64`. */
  architecture: string;
  /** The kernel's name of the machine (uname -m), such as `aarch64`. */
  kernelArchitecture: string;
  /** Such as `24.1.0`. */
  nodeVersion: string;
  userId: number;
  /** Milliseconds since 1970. */
  now(): number;
  /** The content of a file, or undefined when it cannot be read. */
  read(path: string): Promise<string | undefined>;
  /** As `read`, of a file compressed with gzip. */
  readCompressed(path: string): Promise<string | undefined>;
  /** Names in a folder, sorted; none when it cannot be read. */
  list(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  facts(path: string): Promise<FileFacts | undefined>;
  /** The full path of a program, and whether its folder is on PATH; undefined when it is nowhere. */
  which(program: string): Promise<{ path: string; onPath: boolean } | undefined>;
  /** What a program prints, or undefined when it fails, is not there, or takes longer than 10 seconds. */
  run(program: string, ...words: string[]): Promise<string | undefined>;
  /** Of the file system that holds a path, or will hold it. */
  free(path: string): Promise<FreeSpace | undefined>;
  /** Whether something disciplines the kernel's clock; undefined when the kernel does not tell. */
  clockSynchronised(): Promise<boolean | undefined>;
  /** Why a native module of this package does not load; undefined when it does. */
  moduleTrouble(name: string): Promise<string | undefined>;
}

/** A machine that may be changed. Every write replaces the file as a whole and is on disk when it returns. */
export interface ChangeableMachine extends Machine {
  write(path: string, content: string, mode?: number): Promise<void>;
  /** Removes a file or a folder with all in it; no error when there is none. */
  remove(path: string): Promise<void>;
  /** Makes a folder and those above it, owned by root. An existing one keeps its mode. */
  makeFolder(path: string, mode: number): Promise<void>;
  /** Sets a value of the running kernel, below /proc/sys. */
  setKernelValue(path: string, value: string): Promise<void>;
  /** Runs a program that must succeed. */
  execute(program: string, ...words: string[]): Promise<void>;
}
