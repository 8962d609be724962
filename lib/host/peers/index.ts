export { PeerGate, type PeerRight } from './peer-gate';
