import { partitionOf } from '../partition';

/**
 * The topic of an operator's input, or of one partition of it. Its roaming subscriber has the same name: whoever
 * publishes to it says `expectSubscriber(topic, topic)` first, so that nothing is lost before the operator is placed.
 */
export function inputTopic(owner: string, flow: string, operator: string, partition?: number): string {
  const topic = `operators/${owner}/${flow}/${operator}`;
  return partition === undefined ? topic : `${topic}/${partition}`;
}

/** Where a message with this key goes; undefined is the operator's only topic. */
export function keyedTopic(owner: string, flow: string, operator: string, key: string | undefined): string {
  return inputTopic(owner, flow, operator, key === undefined ? undefined : partitionOf(key));
}
