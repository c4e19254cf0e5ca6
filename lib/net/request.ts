/**
 * Requests as bytes, with no header that carries nothing. (pure)
 *
 * @module
 */

/** Paths that need no escaping in a request line. */
const PATH = /^\/[\x21-\x7e]*$/;

/** Values that need no escaping in a header. */
const FIELD_VALUE = /^[\x20-\x7e]*$/;

const encoder = new TextEncoder();

export interface PostParts {
  /** `host:port`. */
  readonly address: string;
  readonly path: string;
  readonly body: string | Uint8Array;
  /** The value of that header; empty for none. */
  readonly authorization: string;
}

/** A POST in one piece, so that a small one travels in one packet; undefined if a part cannot be sent as it is. */
export function encodePost(
  { address, path, body, authorization }: PostParts,
): Uint8Array | undefined {
  if (!PATH.test(path) || !FIELD_VALUE.test(authorization)) return undefined;
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  // HTTP/1.1 requires host and length only; in a cluster of 16 most of the traffic is headers.
  const signed = authorization === "" ? "" : `authorization: ${authorization}\r\n`;
  const head = encoder.encode(
    `POST ${path} HTTP/1.1\r\nhost: ${address}\r\n${signed}content-length: ${bytes.length}\r\n\r\n`,
  );
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

/** A GET of a path that this program chose. */
export function encodeGet(address: string, path: string): Uint8Array {
  return encoder.encode(`GET ${path} HTTP/1.1\r\nhost: ${address}\r\n\r\n`);
}
