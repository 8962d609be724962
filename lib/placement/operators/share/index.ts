export * from './time-share';
