/**
 * Peers and callers by hand, on bare sockets: what a hostile one sends is up to the test.
 *
 * @module
 */

/** Sends bytes to an address and reads what comes back until the other side closes, or `enough` is in it. */
export async function sendRaw(
  address: string,
  bytes: string | Uint8Array,
  enough = /(?!)/,
): Promise<string> {
  using conn = await connect(address);
  const data = typeof bytes === "string" ? latin1(bytes) : bytes;
  // The other side may close before it has read all.
  const sent = writeAll(conn, data).catch(() => {});
  const text = await readUntil(conn, enough);
  await Promise.race([sent, Promise.resolve()]);
  return text;
}

export async function connect(address: string): Promise<Deno.TcpConn> {
  const [, hostname = "", port = ""] = /^(.*):([0-9]+)$/.exec(address) ?? [];
  return await Deno.connect({ hostname, port: Number(port) });
}

export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

export async function readUntil(conn: Deno.Conn, enough: RegExp): Promise<string> {
  const decoder = new TextDecoder("latin1");
  const buffer = new Uint8Array(65_536);
  let text = "";
  try {
    while (!enough.test(text)) {
      const count = await conn.read(buffer);
      if (count === null) break;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  } catch {
    // Reset: what came before it counts.
  }
  return text;
}

/** One byte a character. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** A peer that accepts every connection; what it does then is up to `serve`. By default it never says a word. */
export class MutePeer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];
  readonly #done: Promise<void>;

  constructor(serve: (conn: Deno.Conn) => Promise<void> = () => Promise.resolve()) {
    this.#done = this.#accept(serve);
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Connections taken so far. */
  get calls(): number {
    return this.#conns.length;
  }

  async #accept(serve: (conn: Deno.Conn) => Promise<void>): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.push(conn);
      // A caller that gives up is what these peers are for.
      serve(conn).catch(() => {});
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#done;
    for (const conn of this.#conns) {
      try {
        conn.close();
      } catch {
        // Closed by `serve`.
      }
    }
  }
}

/** An address at which nobody listens. */
export function closedAddress(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `127.0.0.1:${listener.addr.port}`;
}
