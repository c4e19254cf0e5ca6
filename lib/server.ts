/**
 * Serving HTTP/1.1 on a listener, with every connection's time and number bounded.
 *
 * Why not `Deno.serve`: it has no time-outs and no bounds. A caller that sends half a head, or nothing, holds its connection
 * and up to 20 KB for ever, and there is no way to close it; nor can a certificate be changed without closing every stream.
 *
 * @module
 */
import { RequestError, type RequestHead, RequestReader } from "./http_request.ts";

/** What the handler is told of a request besides the request. */
export interface CallerInfo {
  /** The caller's IP address. */
  readonly remote: string;
}

export type Handler = (request: Request, caller: CallerInfo) => Response | Promise<Response>;

/** The bounds of a server. */
export interface ServerLimits {
  /** Connections at once. Past it the one that waited longest goes, strangers first: see `#makeRoom`. */
  readonly connectionsMax: number;
  /** Ms for a new connection to send something, and for a head to be whole. */
  readonly headMs: number;
  /** Ms for a body to be whole; longer than what the routes allow, who can still answer. */
  readonly bodyMs: number;
  /** Ms for the caller to take a part of the answer. */
  readonly takeMs: number;
  /** Ms between an answer and the next request; above what peers keep idle connections for. */
  readonly idleMs: number;
  /** Bytes of all bodies that are being read: each may be as long as a table. */
  readonly bodyBytesMax: number;
}

export const SERVER_LIMITS: ServerLimits = {
  connectionsMax: 1_024,
  headMs: 5_000,
  bodyMs: 10_000,
  takeMs: 30_000,
  idleMs: 130_000,
  bodyBytesMax: 64 * 1024 * 1024,
};

/** How often time limits are looked at: one timer for all connections. */
const SWEEP_EVERY_MS = 500;

/**
 * After an answer that came before the body's end the connection closes, but not at once: a caller that still sends would
 * have the answer thrown away by its own system. As much more is read for as long.
 */
const LINGER_BYTES_MAX = 1024 * 1024;
const LINGER_MS = 1_000;

/** The wait after an accept failed, as for want of file descriptors: others must be closed first. */
const ACCEPT_AGAIN_MS = 50;

/** For people who look at the wire; programs go by the number. */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  303: "See Other",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  507: "Insufficient Storage",
};

const encoder = new TextEncoder();

type Conn = Deno.Conn<Deno.NetAddr>;
type Listener = Deno.Listener<Conn, Deno.NetAddr>;

interface Connection {
  readonly conn: Conn;
  /** `new`: no whole request came yet; `idle`: between two; `busy`: a request is under way. */
  state: "new" | "idle" | "busy";
  sinceMs: number;
  deadlineMs: number;
  /** Bytes of the body under way. */
  bodyBytes: number;
  /** The handler waits for a part of the body, or left while it did. */
  reading: boolean;
}

/** Counts of what a server refused, which only grow. */
export interface ServerCounts {
  accepted: number;
  /** Closed to make room for a new one. */
  crowded: number;
  /** Closed as a time limit was over. */
  slow: number;
  malformed: number;
}

export class Server {
  readonly counts: ServerCounts = { accepted: 0, crowded: 0, slow: 0, malformed: 0 };
  readonly #handler: Handler;
  readonly #limits: ServerLimits;
  readonly #connections = new Set<Connection>();
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #finished = Promise.withResolvers<void>();
  #listener: Listener;
  #bodyBytes = 0;
  #closing = false;

  constructor(listener: Listener, handler: Handler, limits: Partial<ServerLimits> = {}) {
    this.#listener = listener;
    this.#handler = handler;
    this.#limits = { ...SERVER_LIMITS, ...limits };
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_EVERY_MS);
    void this.#accept(listener);
  }

  get addr(): Deno.NetAddr {
    return this.#listener.addr;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Accepts new connections from another listener; open ones go on. */
  replace(listen: () => Listener): void {
    this.#listener.close();
    this.#listener = listen();
    void this.#accept(this.#listener);
  }

  /** Accepts no more, closes what is idle, and resolves when the requests under way are answered. */
  shutdown(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#listener.close();
      for (const connection of this.#connections) {
        if (connection.state !== "busy") close(connection.conn);
      }
      this.#finishIfDone();
    }
    return this.#finished.promise;
  }

  async #accept(listener: Listener): Promise<void> {
    while (listener === this.#listener && !this.#closing) {
      let conn: Conn;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
        continue;
      }
      void this.#serve(conn);
    }
  }

  async #serve(conn: Conn): Promise<void> {
    if (this.#closing || !this.#makeRoom()) return close(conn);
    this.counts.accepted++;
    const nowMs = performance.now();
    const connection: Connection = {
      conn,
      state: "new",
      sinceMs: nowMs,
      deadlineMs: nowMs + this.#limits.headMs,
      bodyBytes: 0,
      reading: false,
    };
    this.#connections.add(connection);
    const reader = new RequestReader(conn);
    try {
      while (await this.#answerNext(connection, reader));
    } catch {
      // The caller is gone, or was closed by the sweeper.
    } finally {
      this.#releaseBody(connection);
      this.#connections.delete(connection);
      close(conn);
      this.#finishIfDone();
    }
  }

  /** Answers one request; false if it was the connection's last. */
  async #answerNext(connection: Connection, reader: RequestReader): Promise<boolean> {
    let head: RequestHead | undefined;
    try {
      head = await reader.head(() => this.#due(connection, this.#limits.headMs));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.counts.malformed++;
      await this.#write(connection, encodeError(error));
      return false;
    }
    if (head === undefined) return false;
    connection.state = "busy";
    this.#due(connection, Infinity);
    const remote = connection.conn.remoteAddr.hostname.replace(/^::ffff:(?=[0-9.]+$)/, "");
    const response = await this.#handler(this.#request(head, connection, reader), { remote });
    const done = reader.bodyDone && !connection.reading;
    const keepAlive = head.keepAlive && done && !this.#closing;
    await this.#answer(connection, response, { head, keepAlive });
    this.#releaseBody(connection);
    if (!done) await this.#linger(connection, reader);
    connection.state = "idle";
    connection.sinceMs = performance.now();
    this.#due(connection, this.#limits.idleMs);
    return keepAlive && !this.#closing;
  }

  #request(head: RequestHead, connection: Connection, reader: RequestReader): Request {
    const { method, target, fields, hasBody } = head;
    // The name is the server's own: what stands in Host is for the routes to judge.
    const url = `http://node${target}`;
    const init: RequestInit = { method, headers: fields.map(([name, value]) => [name, value]) };
    if (!hasBody || method === "GET" || method === "HEAD") return new Request(url, init);
    return new Request(url, { ...init, body: this.#body(head, connection, reader) });
  }

  #body(head: RequestHead, connection: Connection, reader: RequestReader) {
    let begun = false;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        if (!begun) {
          begun = true;
          this.#due(connection, this.#limits.bodyMs);
          if (head.expectsContinue) {
            await writeAll(connection.conn, encoder.encode("HTTP/1.1 100 Continue\r\n\r\n"));
          }
        }
        connection.reading = true;
        const part = await reader.part();
        connection.reading = false;
        if (part === undefined) {
          this.#due(connection, Infinity);
          return controller.close();
        }
        connection.bodyBytes += part.length;
        this.#bodyBytes += part.length;
        if (this.#bodyBytes > this.#limits.bodyBytesMax) {
          throw new RequestError(503, "This node reads as many bodies as it can: try again later");
        }
        controller.enqueue(part.slice());
      },
    }, { highWaterMark: 0 });
  }

  async #linger(connection: Connection, reader: RequestReader): Promise<void> {
    if (connection.reading) return;
    this.#due(connection, LINGER_MS);
    await connection.conn.closeWrite();
    for (let bytes = 0; !reader.bodyDone && bytes <= LINGER_BYTES_MAX;) {
      bytes += (await reader.part())?.length ?? 0;
    }
  }

  async #answer(
    connection: Connection,
    response: Response,
    { head, keepAlive }: { head: RequestHead; keepAlive: boolean },
  ): Promise<void> {
    const { status } = response;
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
    const lines = [statusLine(status)];
    for (const [name, value] of response.headers) lines.push(`${name}: ${value}`);
    // Nodes count the bytes, and have no use for a date.
    if (head.method !== "POST") lines.push(`date: ${new Date().toUTCString()}`);
    if (isStream && response.body !== null) {
      if (head.chunks) lines.push("transfer-encoding: chunked");
      lines.push("connection: close", "\r\n");
      await this.#write(connection, encoder.encode(lines.join("\r\n")));
      return await this.#stream(connection, response.body, head.chunks);
    }
    const body = head.method === "HEAD" || response.body === null
      ? undefined
      : new Uint8Array(await response.arrayBuffer());
    const bare = head.method === "HEAD" || status === 204 || status === 304;
    if (!bare) lines.push(`content-length: ${body?.length ?? 0}`);
    if (!keepAlive) lines.push("connection: close");
    lines.push("\r\n");
    await this.#write(connection, concat(encoder.encode(lines.join("\r\n")), body));
  }

  /** Sends a body part by part, as the caller takes them; ends it when the caller leaves. */
  async #stream(
    connection: Connection,
    body: ReadableStream<Uint8Array>,
    chunks: boolean,
  ): Promise<void> {
    const reader = body.getReader();
    let left = false;
    const leave = () => {
      left = true;
      void reader.cancel();
    };
    // Nothing more is expected from the caller, so whatever comes is the end.
    void connection.conn.read(new Uint8Array(1)).then(leave, leave);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || left) break;
        if (value.length === 0) continue;
        const size = encoder.encode(`${value.length.toString(16)}\r\n`);
        const end = encoder.encode("\r\n");
        await this.#write(connection, chunks ? concat(size, concat(value, end)) : value);
      }
      if (chunks && !left) await this.#write(connection, encoder.encode("0\r\n\r\n"));
    } finally {
      await reader.cancel().catch(() => {});
      close(connection.conn);
    }
  }

  async #write(connection: Connection, bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      this.#due(connection, this.#limits.takeMs);
      sent += await connection.conn.write(bytes.subarray(sent));
    }
    this.#due(connection, Infinity);
  }

  #due(connection: Connection, inMs: number): void {
    connection.deadlineMs = performance.now() + inMs;
  }

  #releaseBody(connection: Connection): void {
    this.#bodyBytes -= connection.bodyBytes;
    connection.bodyBytes = 0;
  }

  /**
   * Makes room for a connection: the longest waiting of those that never sent a request goes first, then the longest idle.
   * So a flood of silent connections pushes out its own; false if every one is busy.
   */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#limits.connectionsMax) return true;
    this.counts.crowded++;
    let victim: Connection | undefined;
    // The set is in order of opening, so the first new one waits longest.
    for (const connection of this.#connections) {
      if (connection.state === "new") {
        victim = connection;
        break;
      }
      if (connection.state === "idle" && !(victim && victim.sinceMs <= connection.sinceMs)) {
        victim = connection;
      }
    }
    if (victim === undefined) return false;
    this.#connections.delete(victim);
    close(victim.conn);
    return true;
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const { conn, deadlineMs } of this.#connections) {
      if (deadlineMs > nowMs) continue;
      this.counts.slow++;
      close(conn);
    }
  }

  #finishIfDone(): void {
    if (!this.#closing || this.#connections.size > 0) return;
    clearInterval(this.#sweeper);
    this.#finished.resolve();
  }
}

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`;
}

function encodeError({ status, message }: RequestError): Uint8Array {
  const body = `${message}\n`;
  return encoder.encode(
    `${statusLine(status)}\r\ncontent-type: text/plain; charset=UTF-8\r\n` +
      `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function concat(a: Uint8Array, b: Uint8Array | undefined): Uint8Array {
  if (b === undefined) return a;
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

async function writeAll(conn: Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

function close(conn: Conn): void {
  try {
    conn.close();
  } catch {
    // closed before
  }
}
