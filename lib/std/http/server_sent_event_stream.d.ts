/** Types of `@std/http/server-sent-event-stream`. */

export interface ServerSentEventMessage {
  comment?: string;
  event?: string;
  data?: string;
  id?: string | number;
  retry?: number;
}

/** Turns messages into the bytes of `text/event-stream`; a newline in `event` or `id` is an error. */
export declare class ServerSentEventStream
  extends TransformStream<ServerSentEventMessage, Uint8Array> {
  constructor();
}
