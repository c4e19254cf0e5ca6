/**
 * A load generator: a few connections that stay open, each with one request under way. Reads orders from its standard input,
 * a line each, and writes a result a line. Run by http.ts.
 *
 * @module
 */

export interface LoadOrder {
  readonly port: number;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent in turns; "" with a GET. */
  readonly bodies: readonly string[];
  /** Ms to go on for. */
  readonly forMs: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Of the last answer's body. */
  readonly bytes: number;
  readonly type: string;
}

/** As many as a node of a large cluster has calls at a time. */
const CONNECTIONS = 8;

/**
 * Heartbeats come as fast as time goes by, so that columns are as long as on a cluster at work: ten times a second a push has a
 * later one of every member, the others nothing new. What merging later ones costs, `deno task bench` says.
 */
const BEAT_STEP_MS = 100;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A request's bytes, and where in them the digits of the heartbeat stand. */
function encodeRequest({ port, method, path }: LoadOrder, body: string) {
  const length = method === "POST" ? `content-length: ${body.length}\r\n` : "";
  const text = `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${length}\r\n${body}`;
  const mark = '"beat":';
  const at = text.indexOf(mark);
  const digits = /^\d+/.exec(text.slice(at + mark.length))?.[0] ?? "";
  return { bytes: encoder.encode(text), at: digits === "" ? -1 : at + mark.length };
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const templates = order.bodies.map((body) => encodeRequest(order, body));
  let requests = 0;
  let result = { bytes: 0, type: "" };
  const startMs = performance.now();
  const untilMs = startMs + order.forMs;
  const connection = async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: order.port });
    const turns = templates.map(({ bytes, at }) => ({ request: bytes.slice(), at }));
    const buffer = new Uint8Array(65_536);
    try {
      for (let turn = 0; turn === 0 || performance.now() < untilMs; turn++) {
        const { request, at } = turns[turn % turns.length]!;
        if (at >= 0) request.set(encoder.encode(`${floorStep(Date.now())}`), at);
        for (let sent = 0; sent < request.length;) sent += await conn.write(request.subarray(sent));
        result = await readAnswer(conn, buffer);
        requests++;
      }
    } finally {
      conn.close();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return { requests, seconds: (performance.now() - startMs) / 1000, ...result };
}

/** Reads one answer to its end; only heads of a plain answer with its length are understood. */
async function readAnswer(conn: Deno.TcpConn, buffer: Uint8Array<ArrayBuffer>) {
  let end = 0;
  for (;;) {
    const count = await conn.read(buffer.subarray(end));
    if (count === null) throw new Error("the server hung up");
    end += count;
    const head = headEnd(buffer, end);
    if (head < 0) continue;
    const text = decoder.decode(buffer.subarray(0, head)).toLowerCase();
    if (!text.startsWith("http/1.1 200 ")) throw new Error(text);
    const bytes = Number(/\r\ncontent-length: (\d+)/.exec(text)?.[1]);
    for (let left = head + 4 + bytes - end; left > 0;) {
      const more = await conn.read(buffer);
      if (more === null) throw new Error("the server hung up");
      left -= more;
    }
    return { bytes, type: /\r\ncontent-type: ([^\r]*)/.exec(text)?.[1] ?? "" };
  }
}

function floorStep(ms: number): number {
  return Math.floor(ms / BEAT_STEP_MS) * BEAT_STEP_MS;
}

function headEnd(buffer: Uint8Array, end: number): number {
  for (let at = 0; at + 4 <= end; at++) {
    if (buffer[at] === 13 && buffer[at + 1] === 10 && buffer[at + 2] === 13) return at;
  }
  return -1;
}

if (import.meta.main) {
  let text = "";
  for await (const part of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const result = await run(JSON.parse(text.slice(0, end)));
      text = text.slice(end + 1);
      console.log(JSON.stringify(result));
    }
  }
}
