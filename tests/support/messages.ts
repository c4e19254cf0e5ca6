import { assert } from "@std/assert";
import { decodeMessage, type Message } from "../../lib/wire.ts";

/** Reads a body that has to be a message. */
export function readMessage(body: string): Message {
  const message = decodeMessage(body);
  assert(!("error" in message), JSON.stringify(message));
  return message;
}
