import { DiskFullError, GaruaError, ToolFailedError, toGaruaError } from '../../base';
import {
  CommandNotExecutableError,
  CommandNotFoundError,
  StartFailedError,
  WrongArchitectureError,
} from '../errors';
import { CreateRefused } from './conmon';

/** Says in human words why runc or conmon would not start a container. */
export function startFailure(error: unknown, name: string, image: string, command: string): GaruaError {
  const cause = { cause: error };
  if (!(error instanceof CreateRefused || error instanceof ToolFailedError)) {
    if (error instanceof GaruaError) return error;
    const known = toGaruaError(error, `starting container ${name}`);
    if (known instanceof DiskFullError) return known;
    return new StartFailedError(name, (error as Error).message, cause);
  }
  const message = runcMessage(error instanceof ToolFailedError ? error.stderr : error.message);
  if (/executable file not found|exec: .*no such file or directory/.test(message)) {
    return new CommandNotFoundError(command, image, cause);
  }
  if (/exec: .*permission denied/.test(message)) {
    return new CommandNotExecutableError(command, image, 'permission denied', cause);
  }
  if (/exec format error/.test(message)) {
    return new WrongArchitectureError(image, 'another architecture', process.arch);
  }
  if (/no space left on device|disk quota exceeded/i.test(message)) {
    return new DiskFullError(`the files of container ${name}`, cause);
  }
  if (/OOM-killed|memory limit too low/.test(message)) {
    return new StartFailedError(name, 'its memory limit is too low even for the start', cause);
  }
  return new StartFailedError(name, message, cause);
}

/** runc writes logrus lines; the last error's text counts, without its prefixes. */
export function runcMessage(text: string): string {
  const messages = [...text.matchAll(/level=(?:error|fatal) msg=("(?:[^"\\]|\\.)*")/g)].map((match) => {
    try {
      return JSON.parse(match[1]!) as string;
    } catch {
      return match[1]!;
    }
  });
  const last = messages.at(-1) ?? text.trim();
  return last
    .replace(/^runc (create|start) failed: /, '')
    .replace(/^unable to start container process: /, '');
}
