export { HostOutlook, type OutlookParts } from './host-outlook';
export type { Outlook, OutlookOptions } from './outlook';
