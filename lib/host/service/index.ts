export { runsSystemd, serviceRemovalSteps, serviceSteps, startByHand } from './install';
export { notifyServiceManager } from './notify';
export { daemonCommand, type ServiceOptions, UNIT_FILE, UNIT_NAME, unitText } from './unit';
