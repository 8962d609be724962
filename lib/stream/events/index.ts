export * from './event-list';
export { EventQueue } from './event-queue';
export { WaitingEvents } from './waiting-events';
