import { fieldReader, isTime, type StreamEvent } from '../../lib/stream';
import type { TimeFormat, WindowSettings } from './settings';

export type Message = Record<string, unknown>;

/** Reads properties of messages in the ways that Node-RED knows. */
export interface Properties {
  property(message: Message, path: string): unknown;
  /** Evaluates the key's JSONata expression. */
  expression(message: Message): Promise<unknown>;
}

/** An event that remembers its message: it goes out again with it when it is late. */
export class MessageEvent implements StreamEvent {
  readonly #message: Message;

  constructor(
    readonly time: number | undefined,
    readonly key: string,
    readonly value: unknown,
    readonly source: string,
    message: Message,
  ) {
    this.#message = message;
  }

  static messageOf(event: StreamEvent): Message {
    return event instanceof MessageEvent ? event.#message : {};
  }
}

/** What is wrong with a message that cannot become an event. */
export type Defect = 'time' | 'key';

export type Reading = { event: MessageEvent; defect?: undefined } | { event: StreamEvent; defect: Defect };

/** Makes events of messages. */
export class EventReader {
  readonly #settings: WindowSettings;
  readonly #properties: Properties;
  readonly #value: (message: Message) => unknown;
  readonly #time: ((message: Message) => unknown) | undefined;
  readonly #key: ((message: Message) => unknown) | undefined;

  constructor(settings: WindowSettings, properties: Properties) {
    this.#settings = settings;
    this.#properties = properties;
    this.#value = this.#reader(settings.valueProperty);
    this.#time = settings.time && this.#reader(settings.time.property);
    this.#key = settings.key.type === 'msg' ? this.#reader(settings.key.text) : undefined;
  }

  /** Whether the key takes a while, so that messages must wait for each other. */
  get isSlow(): boolean {
    return this.#settings.key.type === 'jsonata';
  }

  read(message: Message): Reading {
    return this.#make(message, this.#key?.(message));
  }

  /** As `read`, with a key that is an expression. @throws what the expression throws */
  async readSlowly(message: Message): Promise<Reading> {
    return this.#make(message, await this.#properties.expression(message));
  }

  #make(message: Message, rawKey: unknown): Reading {
    const { time: timeSettings, sourceByTopic } = this.#settings;
    const value = this.#value(message);
    const source = (sourceByTopic && keyText(message.topic)) || '';
    const key = keyText(rawKey);
    const rawTime = this.#time?.(message);
    const time = timeSettings ? milliseconds(rawTime, timeSettings.format) : undefined;
    if (key === undefined || (timeSettings && time === undefined)) {
      const event = { time: rawTime, key: rawKey ?? '', value, source } as unknown as StreamEvent;
      return { event, defect: key === undefined ? 'key' : 'time' };
    }
    return { event: new MessageEvent(time, key, value, source, message) };
  }

  /** Plain paths are read without Node-RED's parser, which costs more than a whole window. */
  #reader(path: string): (message: Message) => unknown {
    if (/^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/.test(path)) return fieldReader(path);
    return (message) => this.#properties.property(message, path);
  }
}

/** Nothing is the empty key; numbers and booleans are written out; anything else is no key. */
export function keyText(key: unknown): string | undefined {
  if (typeof key === 'string') return key;
  if (key === undefined || key === null) return '';
  if (typeof key === 'number' || typeof key === 'boolean') return String(key);
  return undefined;
}

/** A point in time, undefined where there is none. Numbers may come as text. */
export function milliseconds(value: unknown, format: TimeFormat): number | undefined {
  let time: number;
  if (value instanceof Date) time = value.getTime();
  else if (format === 'iso') time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  else {
    const isText = typeof value === 'string' && value.trim() !== '';
    time = typeof value === 'number' || isText ? Number(value) * (format === 's' ? 1_000 : 1) : Number.NaN;
  }
  // A sum of seconds has crumbs behind the comma.
  time = Math.round(time);
  return isTime(time) ? time : undefined;
}
