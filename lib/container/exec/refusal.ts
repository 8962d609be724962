import type { GaruaError } from '../../base';
import { CommandNotExecutableError, CommandNotFoundError, ExecRefusedError } from '../errors';
import { runcMessage } from '../runtime/failure';
import type { ExecPlace } from './run';

/** Says in human words why runc would not run a command. */
export function execFailure(complaint: string, { name, image }: ExecPlace, command: string): GaruaError {
  const message = runcMessage(complaint).replace(/^exec failed: /, '');
  if (/executable file not found|exec: .*no such file or directory/.test(message)) {
    return new CommandNotFoundError(command, image);
  }
  if (/exec: .*permission denied/.test(message)) {
    return new CommandNotExecutableError(command, image, 'permission denied');
  }
  if (/exec format error/.test(message)) {
    return new CommandNotExecutableError(command, image, 'it is no program for this machine');
  }
  return new ExecRefusedError(name, message);
}
