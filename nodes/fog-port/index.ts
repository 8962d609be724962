export { TabActivity } from './activity';
export { type Content, Door, type Handed, isMark, Route } from './direct';
export { InstanceState } from './instance-state';
export { Intake, isHanded, type Taken } from './intake';
export { Outlet } from './outlet';
export { PortLink } from './port-link';
export { countSent, takeSent } from './traffic';
