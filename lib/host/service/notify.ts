import { sendDatagram } from '../../base';

/**
 * Tells systemd how the daemon is (sd_notify(3)): `READY=1`, `STOPPING=1`, `STATUS=...`. Nothing happens where no
 * service manager listens; one that does not take the message is no reason to fail.
 */
export function notifyServiceManager(...assignments: string[]): void {
  const socket = process.env.NOTIFY_SOCKET;
  if (!socket) return;
  try {
    sendDatagram(socket, assignments.join('\n'));
  } catch {
    // It will find out when the process ends.
  }
}
