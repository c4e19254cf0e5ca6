/**
 * Serving HTTP/1.1 on a listener, with every connection's time and number bounded.
 *
 * Why not `Deno.serve`: it has no time-outs and no bounds. A caller that sends half a head, or nothing, holds its connection
 * and up to 20 KB for ever, and there is no way to close it; nor can a certificate be changed without closing every stream.
 *
 * @module
 */
import { close } from "./connect.ts";
import { type Conn, Crowd, type CrowdCounts, type CrowdLimits, type Guest } from "./crowd.ts";
import { RequestError, type RequestHead, RequestReader } from "./http_request.ts";
import {
  encodeAnswer,
  encodeChunk,
  encodeError,
  encodeStreamHead,
  isStream,
} from "./http_response.ts";

/** What the handler is told of a request besides the request. */
export interface CallerInfo {
  /** The caller's IP address. */
  readonly remote: string;
}

export type Handler = (request: Request, caller: CallerInfo) => Response | Promise<Response>;

/**
 * After an answer that came before the body's end the connection closes, but not at once: a caller that still sends would
 * have the answer thrown away by its own system. As much more is read for as long.
 */
const LINGER_BYTES_MAX = 1024 * 1024;
const LINGER_MS = 1_000;

/** The wait after an accept failed, as for want of file descriptors: others must be closed first. */
const ACCEPT_AGAIN_MS = 50;

/** Tries to listen again after the former listener was closed: five seconds in all. */
const REPLACE_TRIES = 100;

const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

type Listener = Deno.Listener<Conn, Deno.NetAddr>;

export class Server {
  readonly #handler: Handler;
  readonly #crowd: Crowd;
  readonly #finished = Promise.withResolvers<void>();
  #listener: Listener;
  #accepting: Promise<void>;
  #closing = false;

  constructor(listener: Listener, handler: Handler, limits: Partial<CrowdLimits> = {}) {
    this.#listener = listener;
    this.#handler = handler;
    this.#crowd = new Crowd(limits);
    this.#accepting = this.#accept();
  }

  get addr(): Deno.NetAddr {
    return this.#listener.addr;
  }

  get counts(): Readonly<CrowdCounts> {
    return this.#crowd.counts;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#crowd.size;
  }

  /** Accepts new connections from another listener at the same port; open ones go on. */
  async replace(listen: () => Listener): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    // The system may hold the port for another moment.
    for (let again = REPLACE_TRIES; !this.#closing; again--) {
      try {
        this.#listener = listen();
        this.#accepting = this.#accept();
        return;
      } catch (error) {
        if (again === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      }
    }
  }

  /** Accepts no more, closes what is idle, and resolves when the requests under way are answered. */
  shutdown(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      try {
        this.#listener.close();
      } catch {
        // Closed while it is being replaced.
      }
      this.#crowd.closeIdle();
      this.#finishIfDone();
    }
    return this.#finished.promise;
  }

  async #accept(): Promise<void> {
    const listener = this.#listener;
    while (!this.#closing) {
      let conn: Conn;
      try {
        conn = await listener.accept();
      } catch (error) {
        const closed = error instanceof Deno.errors.BadResource ||
          error instanceof Deno.errors.Interrupted;
        if (closed) return;
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
        continue;
      }
      void this.#serve(conn);
    }
  }

  async #serve(conn: Conn): Promise<void> {
    const guest = this.#closing ? undefined : this.#crowd.enter(conn);
    if (guest === undefined) return close(conn);
    const reader = new RequestReader(conn);
    try {
      while (await this.#answerNext(guest, reader));
    } catch {
      // The caller is gone, or was too slow.
    } finally {
      this.#crowd.leave(guest);
      this.#finishIfDone();
    }
  }

  /** Answers one request; false if it was the connection's last. */
  async #answerNext(guest: Guest, reader: RequestReader): Promise<boolean> {
    const crowd = this.#crowd;
    let head: RequestHead | undefined;
    try {
      head = await reader.head(() => crowd.due(guest, crowd.limits.headMs));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      crowd.counts.malformed++;
      await this.#write(guest, encodeError(error.status, error.message));
      return false;
    }
    if (head === undefined) return false;
    crowd.enterState(guest, "busy");
    const remote = guest.conn.remoteAddr.hostname.replace(/^::ffff:(?=[0-9.]+$)/, "");
    const response = await this.#handler(this.#request(head, guest, reader), { remote });
    const done = reader.bodyDone && !guest.reading;
    const keepAlive = head.keepAlive && done && !this.#closing;
    await this.#answer(guest, response, { head, keepAlive });
    crowd.releaseBody(guest);
    if (!done) await this.#linger(guest, reader);
    crowd.enterState(guest, "idle");
    return keepAlive && !this.#closing;
  }

  #request(head: RequestHead, guest: Guest, reader: RequestReader): Request {
    const { method, target, fields, hasBody } = head;
    // The name is the server's own: what stands in Host is for the routes to judge.
    const url = `http://node${target}`;
    const init: RequestInit = { method, headers: fields.map(([name, value]) => [name, value]) };
    if (!hasBody || method === "GET" || method === "HEAD") return new Request(url, init);
    return new Request(url, { ...init, body: this.#body(head, guest, reader) });
  }

  #body(head: RequestHead, guest: Guest, reader: RequestReader) {
    const crowd = this.#crowd;
    let begun = false;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        if (!begun) {
          begun = true;
          if (head.expectsContinue) await this.#write(guest, CONTINUE);
          crowd.due(guest, crowd.limits.bodyMs);
        }
        guest.reading = true;
        const part = await reader.part();
        guest.reading = false;
        if (part === undefined) {
          crowd.due(guest, Infinity);
          return controller.close();
        }
        if (!crowd.takeBody(guest, part.length)) {
          throw new RequestError(503, "This node reads as many bodies as it can: try again later");
        }
        controller.enqueue(part.slice());
      },
    }, { highWaterMark: 0 });
  }

  async #linger(guest: Guest, reader: RequestReader): Promise<void> {
    if (guest.reading) return;
    this.#crowd.due(guest, LINGER_MS);
    await guest.conn.closeWrite();
    for (let bytes = 0; !reader.bodyDone && bytes <= LINGER_BYTES_MAX;) {
      bytes += (await reader.part())?.length ?? 0;
    }
  }

  async #answer(
    guest: Guest,
    response: Response,
    { head, keepAlive }: { head: RequestHead; keepAlive: boolean },
  ): Promise<void> {
    const { method, chunks } = head;
    const options = { response, method, keepAlive, date: new Date() };
    if (!isStream(response)) return await this.#write(guest, await encodeAnswer(options));
    await this.#write(guest, encodeStreamHead(options, chunks));
    await this.#stream(guest, response.body!, chunks);
  }

  /** Sends a body part by part, as the caller takes them; ends it when the caller leaves. */
  async #stream(guest: Guest, body: ReadableStream<Uint8Array>, chunks: boolean): Promise<void> {
    const reader = body.getReader();
    let left = false;
    const leave = () => {
      left = true;
      void reader.cancel();
    };
    // Nothing more is expected from the caller, so whatever comes is the end.
    void guest.conn.read(new Uint8Array(1)).then(leave, leave);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || left) break;
        if (value.length > 0) await this.#write(guest, chunks ? encodeChunk(value) : value);
      }
      if (chunks && !left) await this.#write(guest, encodeChunk(new Uint8Array()));
    } finally {
      await reader.cancel().catch(() => {});
      close(guest.conn);
    }
  }

  async #write(guest: Guest, bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      this.#crowd.due(guest, this.#crowd.limits.takeMs);
      sent += await guest.conn.write(bytes.subarray(sent));
    }
    this.#crowd.due(guest, Infinity);
  }

  #finishIfDone(): void {
    if (!this.#closing || this.#crowd.size > 0) return;
    this.#crowd.end();
    this.#finished.resolve();
  }
}
