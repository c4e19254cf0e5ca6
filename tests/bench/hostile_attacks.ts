/**
 * What strangers do to a cluster in hostile.ts, each in a process of its own:
 * `deno run -A hostile_attacks.ts ATTACK SECONDS ADDRESS...`.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import { join, openHttp2, requestFrame } from "../support/http2.ts";
import { connect, latin1, readUntil, writeAll } from "../support/raw.ts";

export interface Attack {
  /** Whether the cluster has a key, which the attacker does not have, and whether its nodes are private. */
  readonly cluster: "open" | "keyed" | "private";
  /** Attacks the nodes until the signal. */
  attack(addresses: readonly string[], signal: AbortSignal): Promise<void>;
}

const MEGABYTE = 1024 * 1024;

/** No attack: shows what the load of this machine alone does. */
export const NO_ATTACK = "0-no-attack";

/** A signature of now that verifies under no key. */
function forged(): string {
  return `Gossip ${Date.now()}.${"A".repeat(43)}`;
}

function post(path: string, length: number, target = "a"): Uint8Array<ArrayBuffer> {
  return latin1(
    `POST ${path} HTTP/1.1\r\nhost: ${target}\r\nauthorization: ${forged()}\r\n` +
      `content-length: ${length}\r\n\r\n`,
  );
}

const HELLO = "/hello?from=x&via=127.9.9.8:9";

/** Runs `act` over and over, `callers` at once at each node, however it ends. */
async function repeat(
  addresses: readonly string[],
  signal: AbortSignal,
  callers: number,
  act: (address: string) => Promise<unknown>,
): Promise<void> {
  await Promise.all(addresses.flatMap((address) =>
    Array.from({ length: callers }, async () => {
      while (!signal.aborted) {
        await Promise.race([act(address).catch(() => pause(50)), aborted(signal)]);
      }
    })
  ));
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}

async function send(address: string, ...parts: Uint8Array[]): Promise<string> {
  using conn = await connect(address);
  const sent = (async () => {
    for (const part of parts) await writeAll(conn, part);
  })().catch(() => {});
  const answer = await readUntil(conn, /\r\n\r\n/);
  await Promise.race([sent, pause(100)]);
  return answer;
}

/** Opens connections, says something on each, and never reads: `held` at each node, then others in their place or not. */
async function hold(
  addresses: readonly string[],
  signal: AbortSignal,
  options: {
    held: number;
    atOnce: number;
    everyMs: number;
    rotates?: boolean;
    open: (address: string) => Promise<Deno.TcpConn>;
  },
): Promise<void> {
  const { held, atOnce, everyMs, rotates = false, open } = options;
  await Promise.all(addresses.map(async (address) => {
    const conns: Deno.TcpConn[] = [];
    while (!signal.aborted) {
      if (conns.length >= held && !rotates) await aborted(signal);
      const opened = await Promise.allSettled(Array.from({ length: atOnce }, () => open(address)));
      for (const result of opened) if (result.status === "fulfilled") conns.push(result.value);
      while (conns.length > held) close(conns.shift()!);
      if (everyMs > 0) await pause(everyMs);
    }
    conns.forEach(close);
  }));
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // The node closed it.
  }
}

async function openWith(address: string, bytes: Uint8Array): Promise<Deno.TcpConn> {
  const conn = await connect(address);
  await writeAll(conn, bytes);
  return conn;
}

async function openStreams(
  address: string,
  fields: Readonly<Record<string, string>>,
  ends: boolean,
): Promise<Deno.TcpConn> {
  const conn = await openHttp2(address, 0);
  const frames = Array.from({ length: 200 }, (_, i) => requestFrame(2 * i + 1, fields, ends));
  await writeAll(conn, join(frames));
  return conn;
}

const nested = latin1("[".repeat(4 * MEGABYTE - 1) + "]".repeat(4 * MEGABYTE - 1));
const objects = (() => {
  const head = `{"v":2,"roster":"${"0".repeat(16)}","rows":[{}`;
  return latin1(head + ",{}".repeat(Math.floor((8 * MEGABYTE - head.length - 2) / 3)) + "]}");
})();

export const ATTACKS: Readonly<Record<string, Attack>> = {
  [NO_ATTACK]: { cluster: "keyed", attack: (_, signal) => aborted(signal) },
  "5-no-body": {
    cluster: "private",
    attack: (to, signal) => {
      const open = (address: string) =>
        openWith(address, post(Math.random() < 0.5 ? "/bye?id=x&unknown=yes" : HELLO, 9));
      return hold(to, signal, { held: 400, atOnce: 10, everyMs: 30, rotates: true, open });
    },
  },
  "5-no-body-h2": {
    cluster: "private",
    attack: (to, signal) => {
      const fields = { ":method": "POST", ":path": HELLO, authorization: forged(), host: "a" };
      return hold(to, signal, {
        held: 4,
        rotates: true,
        atOnce: 2,
        everyMs: 500,
        open: (a) => openStreams(a, fields, false),
      });
    },
  },
  "6-etag": {
    cluster: "keyed",
    attack: (to, signal) => {
      const head = `GET /members HTTP/1.1\r\nhost: a\r\nif-none-match: "a${
        " ".repeat(60_000)
      }b"\r\n\r\n`;
      return repeat(to, signal, 3, (address) => send(address, latin1(head)));
    },
  },
  "7-forged-bodies": {
    cluster: "private",
    attack: (to, signal) => {
      const body = new Uint8Array(8 * MEGABYTE).fill(32);
      return repeat(to, signal, 8, (address) => send(address, post(HELLO, body.length), body));
    },
  },
  "7-forged-64k": {
    cluster: "private",
    attack: (to, signal) => {
      const body = new Uint8Array(64 * 1024).fill(32);
      return repeat(to, signal, 32, (address) => send(address, post(HELLO, body.length), body));
    },
  },
  "8-unread-h2": {
    cluster: "keyed",
    attack: (to, signal) => {
      const fields = { ":method": "GET", ":path": "/members", host: "a" };
      return hold(to, signal, {
        held: 200,
        atOnce: 10,
        everyMs: 20,
        open: (a) => openStreams(a, fields, true),
      });
    },
  },
  "8-unread-h2-hello": {
    cluster: "keyed",
    attack: (to, signal) => {
      const fields = { ":method": "GET", ":path": "/hello", host: "a" };
      return hold(to, signal, {
        held: 200,
        atOnce: 10,
        everyMs: 20,
        open: (a) => openStreams(a, fields, true),
      });
    },
  },
  "8-unread-h1": {
    cluster: "keyed",
    attack: (to, signal) => {
      const head = latin1("GET /members HTTP/1.1\r\nhost: a\r\n\r\n".repeat(100));
      return hold(to, signal, {
        held: 400,
        atOnce: 10,
        everyMs: 20,
        open: (a) => openWith(a, head),
      });
    },
  },
  "9-nested": {
    cluster: "open",
    attack: (to, signal) =>
      repeat(to, signal, 1, (a) => send(a, post(HELLO, nested.length), nested)),
  },
  "9-objects": {
    cluster: "open",
    attack: (to, signal) =>
      repeat(to, signal, 2, (a) => send(a, post(HELLO, objects.length), objects)),
  },
  "9-answers": {
    cluster: "open",
    async attack(to, signal) {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      signal.addEventListener("abort", () => listener.close());
      const via = `127.0.0.1:${listener.addr.port}`;
      const head = latin1(`HTTP/1.1 200 OK\r\ncontent-length: ${objects.length}\r\n\r\n`);
      const invite = latin1(`GET /hello?from=evil&via=${via} HTTP/1.1\r\nhost: a\r\n\r\n`);
      void repeat(to, signal, 1, async (address) => {
        await send(address, invite);
        await pause(500);
      });
      try {
        for await (const conn of listener) {
          (async () => {
            await readUntil(conn, /\r\n\r\n/);
            await writeAll(conn, head);
            await writeAll(conn, objects);
            conn.close();
          })().catch(() => {});
        }
      } catch {
        // Closed: the time is over.
      }
    },
  },
};

if (import.meta.main) {
  const [name = "", seconds = "", ...addresses] = Deno.args;
  await ATTACKS[name]!.attack(addresses, AbortSignal.timeout(Number(seconds) * 1_000)).catch(
    () => {},
  );
  Deno.exit(0);
}
