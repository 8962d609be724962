import type { GaruaError } from '../../base';
import { CommandNotExecutableError, CommandNotFoundError, ExecRefusedError } from '../errors';
import { processLimit } from '../runtime/cgroup';
import { runcMessage } from '../runtime/failure';
import type { ExecPlace } from './run';

/** Says in human words why runc would not run a command. `refusalsBefore`: of processes, before it was tried. */
export async function execFailure(
  complaint: string,
  { id, name, image }: ExecPlace,
  command: string,
  refusalsBefore: number,
): Promise<GaruaError> {
  const limit = await processLimit(id);
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
  // runc's own threads count too, and it only says that it lost what it had begun.
  if (limit && limit.refusals > refusalsBefore) {
    return new ExecRefusedError(name, `its limit of ${limit.limit} processes leaves no room for one more`);
  }
  return new ExecRefusedError(name, message);
}
