/**
 * The package's main export: the library, and what authors of other Node-RED nodes need to use a host. What
 * is not exported here is private.
 */
export * from '../lib';
export { FogHostMissingError, type HostUse, useHost } from './fog-host/use-host';
