export { type VolumeStatus, Volumes } from './volumes';
