export { hostContainers } from './host-containers';
export { HostOperators } from './host-operators';
