/**
 * What is fuzzed, from which good texts, and what must hold whatever comes in.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { tagsIn } from "../../lib/about.ts";
import { isId, normalizeAddress } from "../../lib/address.ts";
import {
  jsonLine,
  readChange,
  readMembers,
  readStory,
  UnreadableError,
} from "../../lib/cli/read.ts";
import { EventReader } from "../../lib/cli/event_stream.ts";
import { changeLine, painter, sorted, storyText, tableLines } from "../../lib/cli/show.ts";
import { readChecks } from "../../lib/config/checks.ts";
import { isHookName } from "../../lib/config/hooks.ts";
import { parseConfig } from "../../lib/config/config.ts";
import { UsageError } from "../../lib/config/flags.ts";
import { deathWord, endOf } from "../../lib/ends.ts";
import { answerTo, UDP_BYTES_MAX, type ZoneSource } from "../../lib/dns/answer.ts";
import { encode } from "../../lib/dns/dns_packet.ts";
import { formatHello, parseHello } from "../../lib/go_nodes.ts";
import { AnswerReader, HEAD_BYTES_MAX } from "../../lib/net/answer_reader.ts";
import { KeyError, parseKeys } from "../../lib/net/keys.ts";
import { HEARTBEAT_MAX_MS } from "../../lib/limits.ts";
import { mayCall, parseNetwork } from "../../lib/config/networks.ts";
import { decodeSaved, encodeSaved } from "../../lib/host/state_format.ts";
import type { Ticks } from "../../lib/ticks.ts";
import { decodeMessage, encodeMessage } from "../../lib/wire.ts";
import { type Door, openDoor, pushOf } from "../support/door.ts";
import type { Mutator } from "./mutate.ts";

/** One thing under fire. `attack` throws where something that must hold does not. */
export interface Target {
  readonly corpus: readonly string[];
  attack(text: string, mutator: Mutator): void | Promise<void>;
  /** Gives back what the attacks held. */
  end?(): Promise<void>;
}

const COLUMNS = { beat: 1_700_000_000_000, beats: "5#:&$s1" };
const FULL = {
  id: "n1",
  roster: "0123456789abcdef",
  rows: [
    {
      id: "n1",
      address: "192.0.2.1:80",
      heartbeat: 1_700_000_000_000,
      ageMs: 1,
      boot: "0123abcd",
      left: "",
    },
    { id: "n2", address: "[::1]:80", heartbeat: 0, ageMs: 0, boot: "", left: "SIGTERM" },
  ],
  tombstones: [{ id: "n9", by: "n1" }, { id: "n8", by: "" }],
  charges: [{ member: "n2", witness: "n1", upTo: 1_700_000_000_000 }],
};

const TICKS: Ticks = {
  clockMs: 1_700_000_000_000,
  unitMs: 1_000,
  of: "all",
  text: "%>T<vZ",
  exact: "$:'",
};

const MESSAGES = [
  encodeMessage(FULL),
  encodeMessage({ ...FULL, ...COLUMNS, full: true, boot: "0123abcd" }),
  encodeMessage({ roster: FULL.roster, ...COLUMNS }),
  encodeMessage({ roster: FULL.roster, unitMs: 1_000, readers: "$", unread: true, ticks: TICKS }),
];

const HELLO = "hello n1\nn1 n2 n3\nn9  n8\nn1:8080\nn2:8080\n[::1]:80\n";

const ANSWERS = [
  "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nauthentication-info: abc\r\n\r\nhello",
  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\nno",
  "HTTP/1.0 200 OK\r\ncontent-encoding: gzip\r\n\r\nhello",
];

/** What a node tells the commands. */
const SHOWN =
  '{"id":"n3","address":"a:80","status":"dead","lastHeartbeat":"2026-01-12T23:39:03.300Z","ageMs":1,"reason":"refused","since":null}';
const CHANGED =
  '{"id":"n3","address":"a:80","from":null,"to":"live","at":"2026-01-12T23:39:03.300Z","reason":"heard","event":1}';

const TOLD_VIEW =
  '{"hook":"pager","to":"dead","by":"n2","at":"2026-01-12T12:00:00.000Z","result":"200"}';

/** That a hook was told. */
const TOLD = {
  told: {
    hook: "pager",
    id: "n2",
    boot: "1a2b3c4d",
    to: "dead" as const,
    heartbeat: 100,
    step: 0,
    by: "n1",
    together: 1,
    result: "200",
  },
  toldAtMs: 5,
};

const DNS_SOURCE: ZoneSource = {
  live: () => [],
  resolve: () => Promise.resolve([]),
  random: () => 0,
};

function dnsQuery(name: string, type: "A"): Uint8Array {
  return encode({ type: "query", id: 258, flags: 256, questions: [{ name, type }] });
}

/** Bytes as a text of as many characters, and back. */
function latin1Of(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Bytes of an answer's body that the reader may take. */
const ANSWER_BYTES_MAX = 1_000;

export const TARGETS: Readonly<Record<string, Target>> = {
  hello: {
    corpus: [
      HELLO,
      "hello \n\n\n",
      formatHello({ id: "n1", ids: [], tombstones: [], addresses: [] }),
    ],
    attack(text) {
      const hello = parseHello(text);
      if ("error" in hello) return assertOneLine(hello.error);
      for (const id of [hello.id, ...hello.ids, ...hello.tombstones]) assert(isId(id), id);
      for (const address of hello.addresses) assertEquals(normalizeAddress(address), address);
      const { dropped: _, ...clean } = hello;
      assertEquals(parseHello(formatHello(clean)), { ...clean, dropped: 0 });
    },
  },
  message: {
    corpus: MESSAGES,
    attack(text) {
      const message = decodeMessage(text);
      if ("error" in message) return assertOneLine(message.error);
      for (const row of message.rows ?? []) {
        assert(isId(row.id) && row.ageMs >= 0 && row.heartbeat >= 0);
        assert(
          row.heartbeat <= HEARTBEAT_MAX_MS && row.heartbeat % 100 === 0,
          String(row.heartbeat),
        );
        assert(row.address === "" || normalizeAddress(row.address) === row.address, row.address);
      }
      for (const { id, by } of message.tombstones ?? []) {
        assert(isId(id) && (by === "" || isId(by)));
      }
      for (const heartbeat of message.columns?.heartbeats ?? []) {
        assert(heartbeat >= 0 && heartbeat <= HEARTBEAT_MAX_MS, String(heartbeat));
      }
    },
  },
  check: {
    corpus: [
      "http://localhost:3000/health?a=b,every=5s,timeout=500ms",
      "tcp:[::1]:5432,fall=3,rise=2,name=db",
      "exec:mount -o rw,size=5m\nfile:/run/web.beat<5m,name=a",
    ],
    attack(text) {
      try {
        for (const { everyMs, timeoutMs, fall, rise } of readChecks(text)) {
          assert(everyMs >= 1_000 && timeoutMs >= 100 && timeoutMs <= everyMs);
          assert(fall >= 1 && rise >= 1 && Number.isInteger(fall + rise));
        }
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        assertOneLine(error.message);
      }
    },
  },
  ending: {
    corpus: ["dead 137 SIGKILL web", "dead 1 web", "SIGTERM then exited with 3"],
    attack(text) {
      const { status, reason } = endOf(text);
      assert(status === "left" || /^[\w.-]+ exited with \d+/.test(reason), reason);
      assert(!/\n/.test(deathWord({ name: text, code: 1, signal: null })));
    },
  },
  dns: {
    corpus: [
      ...["A", "SRV", "ANY"].map((type) => latin1Of(dnsQuery("web.gossip", type as "A"))),
      latin1Of(dnsQuery("7f000001.ip.gossip", "A")),
      latin1Of(dnsQuery("example.com", "A")),
    ],
    async attack(text) {
      const query = bytesOf(text);
      const answer = await answerTo(query, DNS_SOURCE, UDP_BYTES_MAX);
      if (answer === undefined) return;
      assert(answer.length <= UDP_BYTES_MAX, String(answer.length));
      // What is no plain question of this zone gets no more than it sent.
      if ((answer[3]! & 0xf) > 3) assert(answer.length <= query.length);
      assertEquals([answer[0], answer[1], answer[2]! >> 7], [query[0], query[1], 1]);
    },
  },
  flags: {
    corpus: [
      "-id n1 -port 8080 -join a:1,b:2 -advertise host:80",
      "--interval=1s -dead-after 5s -log json -log-level warn -private",
      "-tls-cert c -tls-key k -tls-ca a -allow 10.0.0.0/8,::1 -cluster x -state s -key-file f",
      "-help",
      "-join srv:_gossiper._tcp.example -host ::1",
      "-on-change notify.sh,status=dead,left,tag=role=web,name=pager -tell-after 30s",
      "-on-change https://hooks.example/a?b=c,d,status=cut-off -on-change a;b",
    ],
    attack(text, mutator) {
      const args = text.split(mutator.chance(0.9) ? " " : "");
      const parsed = parseConfig(
        args,
        () => mutator.chance(0.02) ? mutator.text(this.corpus) : undefined,
        {
          hostname: "host",
          randomId: "0123abcd",
        },
      );
      if (parsed.kind === "usage") return assertOneLine(parsed.message);
      if (parsed.kind !== "run") return;
      assert(isId(parsed.config.id) && parsed.config.port <= 65_535);
      for (const { name, tags } of parsed.config.hooks) {
        assert(isHookName(name), name);
        assertEquals(tagsIn(tags), tags);
      }
    },
  },
  keys: {
    corpus: ["# a comment\nthe-first-key-of-a-cluster\n\nthe-second-key-of-a-cluster\r\n"],
    attack(text) {
      try {
        for (const key of parseKeys(text, "keys")) {
          assert(/^[!-~]{16,512}$/.test(key) && key[0] !== "#");
        }
      } catch (error) {
        if (!(error instanceof KeyError)) throw error;
        assertOneLine(error.message);
      }
    },
  },
  networks: {
    corpus: [
      "10.0.0.0/8",
      "fd00::/8",
      "::ffff:1.2.3.4/128",
      "0.0.0.0/0",
      "[::1]:80",
      "host.example:1",
    ],
    attack(text) {
      const network = parseNetwork(text);
      if (network !== undefined) assert(network.bytes.length === 16 && network.bits <= 128);
      assert(
        !mayCall(text, []) || mayCall(text, [parseNetwork("0.0.0.0/0")!, parseNetwork("::/0")!]),
      );
      const address = normalizeAddress(text);
      if (address !== undefined) assertEquals(normalizeAddress(address), address);
    },
  },
  state: {
    corpus: [
      encodeSaved({
        id: "n1",
        cluster: "default",
        heartbeat: 1_700_000_000_000,
        addresses: ["n2:80", "[::1]:80"],
        members: [{ id: "n2", address: "n2:80", boot: "1a2b3c4d", heartbeat: 100, heardAtMs: 5 }],
        tombstones: [{ id: "n9", by: "n1" }],
        told: [TOLD],
      }),
    ],
    attack(text) {
      const saved = decodeSaved(text);
      if ("error" in saved) return assertOneLine(saved.error);
      assertEquals(decodeSaved(encodeSaved(saved)), saved);
    },
  },
  answer: {
    corpus: ANSWERS,
    async attack(text, mutator) {
      const bytes = new TextEncoder().encode(text);
      let sent = 0;
      const reader = new AnswerReader({
        read(buffer) {
          if (sent === bytes.length) return Promise.resolve(null);
          const count = Math.min(buffer.length, bytes.length - sent, 1 + mutator.below(64));
          buffer.set(bytes.subarray(sent, sent + count));
          sent += count;
          return Promise.resolve(count);
        },
      });
      try {
        const answer = await reader.read(ANSWER_BYTES_MAX);
        assert(answer.status >= 200 && answer.status <= 999);
        assert(answer.body.length <= ANSWER_BYTES_MAX);
      } catch (error) {
        assert(error instanceof Error && !(error instanceof TypeError), String(error));
        assertOneLine(error.message);
      }
      assert(sent <= 2 * (HEAD_BYTES_MAX + ANSWER_BYTES_MAX) + HEAD_BYTES_MAX);
    },
  },
  cli: {
    corpus: [
      `id: a-1\nevent: snapshot\ndata: {"members":[${SHOWN}]}\n\n`,
      `:\n\nevent: change\r\ndata: ${CHANGED}\r\n\r\n`,
      `data: {${SHOWN.slice(1, -1)},"history":[${CHANGED}]}\n\n`,
      `data: {${SHOWN.slice(1, -1)},"history":[],"told":[${TOLD_VIEW}]}\n\n`,
    ],
    attack(text, mutator) {
      const paint = painter(false);
      try {
        const reader = new EventReader(ANSWER_BYTES_MAX);
        const cut = mutator.below(text.length + 1);
        for (
          const { data } of [...reader.read(text.slice(0, cut)), ...reader.read(text.slice(cut))]
        ) {
          assertOneLine(jsonLine(data));
          for (
            const show of [
              () => tableLines(sorted(readMembers(data)), { paint }),
              () =>
                storyText(readStory(data), paint).trimEnd().split("\n").filter((line) =>
                  line !== ""
                ),
              () => [changeLine(readChange(data)).trimEnd()],
            ]
          ) {
            try {
              for (const line of show()) assertOneLine(line);
            } catch (error) {
              if (!(error instanceof UnreadableError)) throw error;
            }
          }
        }
      } catch (error) {
        if (!(error instanceof UnreadableError)) throw error;
        assertOneLine(error.message);
      }
    },
  },
  http: {
    corpus: [
      "GET / a",
      "GET /hello?from=n2&via=192.0.2.2:80 a",
      `POST /hello?from=n2&via=192.0.2.2:80 ${pushOf("n2")}`,
      ...MESSAGES.map((body) => `POST /hello?from=n2&via=192.0.2.2:80 ${body}`),
      "GET /bye?id=n9 a",
      "GET /bye?id=n9&unknown=yes a",
      "POST /bye id=n9&key=k&unknown=yes",
      "POST /quiet id=web*&for=2h&why=deploy",
      "POST /hook-test name=pager",
      "GET /members?status=dead,live a",
      "GET /members/n1 a",
      "GET /?q=n1&id=n1 a",
      "GET /?bye=n1 a",
      "GET /page.json?q=x a",
      "GET /static/x/style.css a",
      "GET /metrics a",
      "HEAD /healthz a",
    ],
    attack: attackHttp,
    end: async () => await door?.[Symbol.asyncDispose](),
  },
};

/** Requests to one table, before it is made anew. */
const REQUESTS_PER_DOOR = 2_000;

const HEADERS = [
  "host",
  "origin",
  "sec-fetch-site",
  "user-agent",
  "authorization",
  "accept",
  "if-none-match",
  "content-type",
  "content-length",
  "cookie",
  "referer",
  "x-forwarded-for",
  "last-event-id",
  "purpose",
  "expect",
];

let door: Door | undefined;
let requests = 0;

async function attackHttp(text: string, mutator: Mutator): Promise<void> {
  if (requests++ % REQUESTS_PER_DOOR === 0) {
    await door?.[Symbol.asyncDispose]();
    door = openDoor(mutator.chance(0.3) ? { keys: [KEY] } : {});
  }
  const [method = "", path = "", ...body] = text.split(" ");
  const headers: Record<string, string> = mutator.below(2) === 0 ? {} : { accept: "text/html" };
  for (let count = mutator.below(3); count > 0; count--) {
    headers[mutator.pick(HEADERS)] = mutator.pick([...HEADER_VALUES, text]).replace(
      /[^\x20-\x7e]/g,
      "",
    );
  }
  const bodyText = body.join(" ");
  let answer;
  try {
    const withBody = method !== "GET" && method !== "HEAD";
    answer = await door!.ask(`${method} ${path.startsWith("/") ? path : `/${path}`}`, {
      headers,
      ...(withBody && { body: bodyText }),
    });
  } catch (error) {
    // What is no request at all does not reach the routes.
    if (error instanceof TypeError) return;
    throw error;
  }
  assert(
    answer.status >= 200 && answer.status !== 500 && answer.status < 508,
    String(answer.status),
  );
  for (const value of answer.headers.values()) assert(/^[\x20-\x7e]*$/.test(value), value);
  if (answer.headers.get("content-type")?.startsWith("text/html")) {
    assert(
      !/<script(?! type="module" src="static\/)/i.test(answer.text),
      "a script got into the page",
    );
  }
  for (const line of door!.lines.splice(0)) {
    assert(/^[\x20-\x7e]*$/.test(line) && !line.includes("BUG"), line);
  }
  assert(door!.ids().length < REQUESTS_PER_DOOR * 10);
}

const KEY = "the-key-that-is-fuzzed-with";
const HEADER_VALUES = [
  "node1:8080",
  "evil.example",
  "http://node1:8080",
  "cross-site",
  "same-origin",
  "none",
  "Mozilla/5.0",
  `Bearer ${KEY}`,
  `Gossip 1767225600000.${"A".repeat(43)}`,
  "Basic Og==",
  "text/html",
  'W/"x"',
  "*",
  "0",
  "99999999999",
  "prefetch",
  "100-continue",
  "application/x-www-form-urlencoded",
];

function assertOneLine(text: string): void {
  assert(/^[\x20-\x7e]+$/.test(text), JSON.stringify(text));
}
