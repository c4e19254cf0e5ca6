/**
 * HTTP/2 by hand, on bare sockets: what no well-behaved client does is up to the test.
 *
 * @module
 */
import { connect, latin1, writeAll } from "./raw.ts";

const PREFACE = latin1("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEADERS = 1;
const SETTINGS = 4;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const INITIAL_WINDOW_SIZE = 4;

/** Opens an HTTP/2 connection without TLS, on which the server may send this many bytes of each answer's body. */
export async function openHttp2(address: string, window: number): Promise<Deno.TcpConn> {
  const conn = await connect(address);
  const settings = frame(SETTINGS, 0, 0, [0, INITIAL_WINDOW_SIZE, ...int(window, 4)]);
  await writeAll(conn, join([PREFACE, settings, frame(SETTINGS, ACK, 0, [])]));
  return conn;
}

/** A request's head as a frame; `stream` is odd and grows. Unless it `ends` there, a body is still to come. */
export function requestFrame(
  stream: number,
  fields: Readonly<Record<string, string>>,
  ends = true,
): Uint8Array {
  const block = Object.entries({ ":scheme": "http", ":authority": "a", ...fields })
    .flatMap(([name, value]) => [0, ...text(name), ...text(value)]);
  return frame(HEADERS, END_HEADERS | (ends ? END_STREAM : 0), stream, block);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function frame(type: number, flags: number, stream: number, payload: number[]): Uint8Array {
  return Uint8Array.from([...int(payload.length, 3), type, flags, ...int(stream, 4), ...payload]);
}

/** A literal of HPACK, which spends one byte on a length below 127. */
function text(value: string): number[] {
  if (value.length > 126) throw new RangeError("Cannot encode a field of more than 126 bytes");
  return [value.length, ...latin1(value)];
}

function int(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => value >>> (8 * (bytes - 1 - i)) & 255);
}
