import { isContainerName } from '../../container';
import { TicketInvalidError } from './errors';
import { MIGRATION_MODES, type Ticket } from './messages';

const ID = /^[\w-]{1,64}$/;

/**
 * A ticket that another host has sent: it may hold anything.
 *
 * @param from what the mesh knows the sender by, `to` this host; or the other way around
 * @throws {TicketInvalidError}
 */
export function checkTicket(value: unknown, from: string, to: string): Ticket {
  if (typeof value !== 'object' || value === null) throw new TicketInvalidError('it is no object');
  const { id, name, mode, fence, ...peers } = value as Partial<Ticket>;
  if (typeof id !== 'string' || !ID.test(id)) throw new TicketInvalidError('its id');
  if (!isContainerName(name)) throw new TicketInvalidError('its container');
  if (!mode || !MIGRATION_MODES.includes(mode)) throw new TicketInvalidError('its mode');
  if (typeof fence !== 'number' || !Number.isSafeInteger(fence) || fence < 1)
    throw new TicketInvalidError('its fence');
  if (peers.from !== from || peers.to !== to) throw new TicketInvalidError('it is not between these hosts');
  return { id, name: name!, mode, from, to, fence };
}
