import {
  callWithInput,
  callWithInputFile,
  callWithOutput,
  callWithOutputFile,
  descriptorPath,
  hostOpens,
} from '../control';

/** Lets a host read a file or, for `-`, what comes in. */
export function withInput<T>(file: string, call: (path: string) => Promise<T>): Promise<T> {
  if (file !== '-') return callWithInputFile(file, call);
  return hostOpens(0) ? call(descriptorPath(0)) : callWithInput(process.stdin, call);
}

/** Lets a host write a file, which is seen only when it is whole, or without one write to the output. */
export function withOutput<T>(
  file: string | undefined,
  call: (path: string) => Promise<T>,
  mode?: number,
): Promise<T> {
  if (file !== undefined) return callWithOutputFile(file, call, mode);
  return hostOpens(1) ? call(descriptorPath(1)) : callWithOutput(process.stdout, call);
}
