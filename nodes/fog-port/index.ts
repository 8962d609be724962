export { TabActivity } from './activity';
export { InstanceState } from './instance-state';
export { Intake, type Taken } from './intake';
export { Outlet } from './outlet';
export { PortLink } from './port-link';
export { countSent, takeSent } from './traffic';
