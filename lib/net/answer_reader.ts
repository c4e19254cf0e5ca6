/**
 * Reads HTTP/1.1 answers from a stream of bytes, strictly and in bounded memory. (pure)
 *
 * The peer is hostile: the head must fit in one buffer, the body is counted as it arrives, and anything that is not
 * clearly an answer ends the reading. Text from the peer never appears in an error's message.
 *
 * @module
 */

import { AnswerBody, type MemoryBudget, tooLong } from "./answer_body.ts";

/** The source of the bytes: a TCP or TLS connection. */
export interface ByteSource {
  /** Reads some bytes; `null` at the end. Rejects when the connection breaks. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  /** Decoded as UTF-8; invalid bytes become U+FFFD, so that one bad name does not spoil a list. */
  readonly body: string;
  /** The `authentication-info` field, in which a peer with the cluster's key signs; it may hold anything. */
  readonly proof?: string;
  /** Bytes received, head and framing included. */
  readonly bytesIn: number;
  /** Whether the connection can carry another exchange. */
  readonly reusable: boolean;
}

/** The connection ended or broke before the answer was complete. */
export class HungUp extends Error {
  override name = "HungUp";

  constructor() {
    super("the connection broke before the answer was complete");
  }
}

/** Bytes of an answer's head: ours have 110, and reverse proxies stop at 8 KiB or earlier. Also the largest buffer. */
export const HEAD_BYTES_MAX = 8_192;

/** Bytes of the buffer of an idle connection, and of short answers: enough for the columns of 250 members. */
const LITTLE_BYTES = 1_024;

/**
 * Bytes of an answer besides its body: heads, trailers and the framing of chunks, with room for a buffer of body bytes
 * not yet taken. Beyond it, framing may be as long as the body, so chunks of five bytes pass.
 */
const FRAMING_BYTES_MAX = 3 * HEAD_BYTES_MAX;

/** First bytes of TLS records, which no HTTP begins with: an alert, and a handshake. */
const TLS_RECORDS = [0x15, 0x16];

const FIELD_NAME = /^[!-9;-~]+$/;
const latin1 = new TextDecoder("latin1");
const CRLF = new TextEncoder().encode("\r\n");
const HEAD_END = new TextEncoder().encode("\r\n\r\n");

interface Head {
  readonly status: number;
  readonly keepAlive: boolean;
  /** Body bytes; `undefined`: until the connection ends. */
  readonly length: number | "chunked" | undefined;
  readonly proof?: string;
}

/** Reads answers one after another from one connection. */
export class AnswerReader {
  readonly #source: ByteSource;
  readonly #memory: MemoryBudget | undefined;
  #buffer = new Uint8Array(LITTLE_BYTES);
  #start = 0;
  #end = 0;
  #ahead: Promise<number | null> | undefined;
  #bytesIn = 0;
  #bodyBytes = 0;

  /** Bodies take their memory from `memory`. */
  constructor(source: ByteSource, memory?: MemoryBudget) {
    this.#source = source;
    this.#memory = memory;
  }

  /** Starts to read ahead of the next answer; resolves when the peer sends something or ends the connection. */
  async listen(): Promise<void> {
    if (this.#start === this.#end) this.#resize(LITTLE_BYTES);
    this.#ahead = this.#source.read(this.#buffer);
    await this.#ahead.catch(() => null);
  }

  /** Reads one answer. Rejects with `HungUp`, or with an `Error` whose message gives the fault of the answer. */
  async read(bodyBytesMax: number): Promise<Answer> {
    this.#bytesIn = 0;
    this.#bodyBytes = 0;
    let head: Head;
    do head = parseHead(await this.#until(HEAD_END)); while (head.status < 200);
    if (typeof head.length === "number" && head.length > bodyBytesMax) throw tooLong(bodyBytesMax);

    const body = await this.#readBody(head.length, bodyBytesMax);
    const reusable = head.keepAlive && head.length !== undefined && this.#start === this.#end;
    const { status, proof } = head;
    const signed = proof === undefined ? {} : { proof };
    return { status, body, bytesIn: this.#bytesIn, reusable, ...signed };
  }

  async #readBody(length: Head["length"], bytesMax: number): Promise<string> {
    const body = new AnswerBody(bytesMax, this.#memory);
    try {
      for await (const part of this.#parts(length)) {
        body.add(part);
        this.#bodyBytes = body.length;
      }
      return body.text();
    } finally {
      body.release();
    }
  }

  async *#parts(length: Head["length"]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (length !== "chunked") return yield* this.#take(length);
    for (;;) {
      const size = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;|$)/.exec(await this.#until(CRLF))?.[1];
      if (size === undefined) throw malformed();
      const bytes = Number.parseInt(size, 16);
      if (bytes === 0) break;
      yield* this.#take(bytes);
      if (await this.#until(CRLF) !== "") throw malformed();
    }
    while (await this.#until(CRLF) !== ""); // trailers
  }

  /** Yields views of the buffer, each valid until the next is taken: `length` bytes, or all until the end. */
  async *#take(length = Infinity): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (length > LITTLE_BYTES) this.#resize(HEAD_BYTES_MAX);
    for (let left = length; left > 0;) {
      if (this.#start === this.#end && !await this.#fill()) {
        if (length === Infinity) return;
        throw new HungUp();
      }
      const part = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + left));
      this.#start += part.length;
      left -= part.length;
      yield part;
    }
  }

  /** Takes the text up to the mark, and drops the mark. */
  async #until(mark: Uint8Array): Promise<string> {
    // A peer that sends byte by byte must not have all of them searched anew each time.
    let searched = 0;
    for (;;) {
      const found = indexOf(this.#buffer.subarray(this.#start + searched, this.#end), mark);
      if (found >= 0) {
        const at = searched + found;
        const text = latin1.decode(this.#buffer.subarray(this.#start, this.#start + at));
        this.#start += at + mark.length;
        return text;
      }
      searched = Math.max(0, this.#end - this.#start - mark.length + 1);
      if (!await this.#fill()) throw new HungUp();
    }
  }

  /** Replaces the buffer by one of `bytes`, unless it has that size. */
  #resize(bytes: number): void {
    if (this.#buffer.length === bytes) return;
    const buffer = new Uint8Array(bytes);
    buffer.set(this.#buffer.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
    this.#buffer = buffer;
  }

  /** Reads more bytes into the buffer; `false` at the end of the connection. */
  async #fill(): Promise<boolean> {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === HEAD_BYTES_MAX) throw new Error("answered with too long a line or head");
    if (this.#end === this.#buffer.length) this.#resize(HEAD_BYTES_MAX);
    const reading = this.#ahead ?? this.#source.read(this.#buffer.subarray(this.#end));
    this.#ahead = undefined;
    const count = await reading.catch(() => {
      throw new HungUp();
    });
    if (count === null) return false;
    this.#end += count;
    this.#bytesIn += count;
    if (this.#bytesIn === count && TLS_RECORDS.includes(this.#buffer[this.#start]!)) {
      throw new Error("it speaks TLS, this node does not: see -tls-cert");
    }
    if (this.#bytesIn - this.#bodyBytes > FRAMING_BYTES_MAX + this.#bodyBytes) {
      throw new Error("answered with more framing than body");
    }
    return true;
  }
}

function parseHead(text: string): Head {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const [, minor, code] = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: |$)/.exec(statusLine) ?? [];
  if (code === undefined) throw malformed();
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!FIELD_NAME.test(name) || /[\0\r\n]/.test(line)) throw malformed();
    const value = line.slice(colon + 1).trim();
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  // No request offers a coding: decoding one would let a few bytes become megabytes.
  if (!/^(?:identity)?$/i.test(fields.get("content-encoding") ?? "")) {
    throw new Error("answered in a compressed form that was not asked for");
  }
  const status = Number(code);
  const proof = fields.get("authentication-info");
  const signed = proof === undefined ? {} : { proof };
  const keepAlive = minor === "1" && !/\bclose\b/i.test(fields.get("connection") ?? "");
  if (status < 200 || status === 204 || status === 304) {
    return { status, keepAlive, length: 0, ...signed };
  }
  const coding = fields.get("transfer-encoding");
  const length = fields.get("content-length");
  // An answer with both may smuggle another one inside it.
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked" || length !== undefined) throw malformed();
    return { status, keepAlive, length: "chunked", ...signed };
  }
  if (length === undefined) return { status, keepAlive, length: undefined, ...signed };
  if (!/^[0-9]{1,15}$/.test(length)) throw malformed();
  return { status, keepAlive, length: Number(length), ...signed };
}

function indexOf(bytes: Uint8Array, mark: Uint8Array): number {
  const [first = 0] = mark;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

function malformed(): Error {
  return new Error("answered with something that is not HTTP/1.1");
}
