import { join } from 'node:path';

export const UNIT_NAME = 'garua.service';
export const UNIT_FILE = `/etc/systemd/system/${UNIT_NAME}`;

export interface ServiceOptions {
  /** Absent: the daemon's own default. */
  dataDirectory?: string | undefined;
  name?: string | undefined;
  /** A further socket to listen on. */
  socket?: string | undefined;
  /** Further words of the command, such as `--site quay`. */
  more?: string[] | undefined;
}

/** Built files lie in dist/lib/host/service. */
const MAIN = join(__dirname, '../../cli/main.js');

/** The command that is the daemon. */
export function daemonCommand(options: ServiceOptions = {}): string[] {
  const { dataDirectory, name, socket, more = [] } = options;
  const words = [process.execPath, MAIN, 'host'];
  if (dataDirectory !== undefined) words.push('--data', dataDirectory);
  if (name !== undefined) words.push('--name', name);
  if (socket !== undefined) words.push('--socket', socket);
  return [...words, ...more];
}

/**
 * The unit of the daemon (systemd.service(5)). Containers outlive it, and so must all that belongs to them: only
 * the daemon's own process is killed, and /run/garua, where runc keeps its state, stays.
 *
 * What systemd offers for locking a service up is left out on purpose. A mount namespace of its own
 * (ProtectSystem, PrivateTmp ...) would hide the mounts of containers from every other process; filters of system
 * calls, dropped capabilities, NoNewPrivileges and limits are inherited by the containers, whose own are set by
 * Garua, and it may be asked for more than the rest.
 */
export function unitText(options: ServiceOptions = {}): string {
  return `# Written by garua setup; garua uninstall removes it.
[Unit]
Description=Garua, fog computing on this host
After=network-online.target time-sync.target
Wants=network-online.target

[Service]
Type=notify
ExecStart=${daemonCommand(options).map(quote).join(' ')}
Restart=on-failure
RestartSec=2
KillMode=process
Delegate=yes
TasksMax=infinity
RuntimeDirectory=garua
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes

[Install]
WantedBy=multi-user.target
`;
}

/** systemd.syntax(7) and its specifiers: `%` and `$` mean something, quotes hold blanks together. */
function quote(word: string): string {
  const safe = word.replace(/[\\"]/g, '\\$&').replace(/%/g, '%%').replace(/\$/g, '$$$$');
  return /[\s'";]/.test(word) || word === '' ? `"${safe}"` : safe;
}
