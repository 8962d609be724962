export { HostOperators } from './host-operators';
