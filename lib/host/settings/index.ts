export { type HostSettings, settingsOf } from './settings';
