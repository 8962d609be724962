export type { PeerRights, PolicyDocument } from './document';
export { Policy } from './policy';
