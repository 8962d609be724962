export { HostMessages } from './messages';
