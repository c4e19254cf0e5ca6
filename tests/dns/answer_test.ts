import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { answerTo, UDP_BYTES_MAX, type ZoneSource } from "../../lib/dns/answer.ts";
import { decode, encode, type Packet } from "../../lib/dns/dns_packet.ts";
import type { ListedMember } from "../../lib/report/members.ts";

function member(id: string, more: Partial<ListedMember> = {}): ListedMember {
  const heard = { lastHeartbeat: null, ageMs: 0, reason: null, since: null, remark: null };
  return { id, address: `${id}:8080`, status: "live", ...heard, tags: {}, ports: {}, ...more };
}

function sourceOf(members: readonly ListedMember[]): ZoneSource {
  return {
    live: () => members,
    resolve: (host) => Promise.resolve(host === "n1" ? ["192.0.2.1", "fd00::1"] : []),
    random: () => 0,
  };
}

const SOURCE = sourceOf([
  member("n1", { tags: { role: "web" } }),
  member("n2", { address: "192.0.2.2:80", tags: { role: "web" }, ports: { web: 3_000 } }),
  member("slow", { tags: { role: "web" }, remark: "slow: its rounds come 4.2 s apart" }),
]);

function ask(name: string, type: string, more: Partial<Packet> = {}): Uint8Array {
  const questions = [{ name, type: type as "A", class: "IN" as const }];
  return encode({ type: "query", id: 7, flags: 1 << 8, questions, ...more });
}

async function answered(
  query: Uint8Array,
  { source = SOURCE, bytesMax = UDP_BYTES_MAX } = {},
): Promise<ReturnType<typeof decode> & Record<string, unknown>> {
  const bytes = await answerTo(query, source, bytesMax);
  assert(bytes, "it gets an answer");
  return decode(Buffer.from(bytes)) as never;
}

/** Records in short, sorted. */
function short(records: Packet["answers"]): string[] {
  return (records ?? []).map((record) => {
    const data = "data" in record ? record.data : undefined;
    if (record.type !== "SRV") return `${record.type} ${data}`;
    return `SRV ${record.data.target} ${record.data.port}`;
  }).sort();
}

Deno.test("A and AAAA are the IP addresses of those that can serve, for no time", async () => {
  const { answers, rcode, id, flag_aa } = await answered(ask("web.gossip", "A"));
  assertEquals(short(answers), ["A 192.0.2.1", "A 192.0.2.2"]);
  assertEquals([rcode, id, flag_aa], ["NOERROR", 7, true]);
  assert(answers!.every((answer) => "ttl" in answer && answer.ttl === 0));
  assertEquals(short((await answered(ask("web.gossip", "AAAA"))).answers), ["AAAA fd00::1"]);
});

Deno.test("SRV has the ports, and the addresses of those that go by one", async () => {
  const { answers, additionals } = await answered(ask("_web._tcp.gossip", "SRV"));
  assertEquals(short(answers), ["SRV c0000202.ip.gossip 3000", "SRV n1 8080"]);
  assertEquals(short(additionals), ["A 192.0.2.2"]);
  assertEquals(short((await answered(ask("c0000202.ip.gossip", "A"))).answers), ["A 192.0.2.2"]);
});

Deno.test("a member whose host has a longer label than DNS knows keeps nobody else from an answer", async () => {
  const source = sourceOf([
    member("n1", { address: `${"a".repeat(63)}.${"b".repeat(63)}:80` }),
    member("n2", { address: `n2.${"c".repeat(64)}:80` }),
  ]);
  const { answers } = await answered(ask("gossip", "SRV"), { source });
  assertEquals(short(answers), [`SRV ${"a".repeat(63)}.${"b".repeat(63)} 80`]);
});

Deno.test("a name that is not there is NXDOMAIN, one without such records is empty; both for no time", async () => {
  for (const [name, rcode] of [["smtp.gossip", "NXDOMAIN"], ["c0000202.ip.gossip", "NOERROR"]]) {
    const answer = await answered(ask(name!, "AAAA"));
    assertEquals([answer.rcode, answer.answers], [rcode, []]);
    const [soa] = answer.authorities!;
    assert(soa?.type === "SOA" && soa.ttl === 0 && soa.data.minimum === 0);
  }
});

Deno.test("the zone's own record is the answer at its name, and at no other", async () => {
  for (const name of ["gossip", "GOSSIP"]) {
    const { answers, authorities } = await answered(ask(name, "SOA"));
    assertEquals([answers?.map(({ type }) => type), authorities], [["SOA"], []], name);
  }
  const { answers, authorities } = await answered(ask("web.gossip", "SOA"));
  assertEquals([answers, authorities?.map(({ type }) => type)], [[], ["SOA"]]);
});

Deno.test("what belongs to another zone is refused, without a word more", async () => {
  const queries = [
    ask("example.com", "A"),
    ask("web.gossip", "A", {
      questions: [{ name: "web.gossip", type: "A", class: "CH" }],
    }),
  ];
  for (const query of queries) {
    const { id, rcode, questions, answers } = await answered(query);
    // Whoever asked finds its question by the number.
    assertEquals([id, rcode, questions, answers], [7, "REFUSED", [], []]);
  }
});

Deno.test("a label with a dot in it is no name of the zone, and not taken for two labels", async () => {
  // One label of ten bytes, where there were two.
  const query = ask("web.gossip", "A");
  query[12] = "web.gossip".length;
  query[16] = ".".charCodeAt(0);
  const { id, rcode, questions } = await answered(query);
  assertEquals([id, rcode, questions], [7, "REFUSED", []]);
});

Deno.test("no answer goes to an answer, so that two servers never talk without end", async () => {
  const answer = encode({ type: "response", id: 7, questions: [{ name: "gossip", type: "A" }] });
  assertEquals(await answerTo(answer, SOURCE, UDP_BYTES_MAX), undefined);
});

Deno.test("a query must ask one question and tell nothing, but for one record of its options", async () => {
  const question = { name: "web.gossip", type: "A", class: "IN" } as const;
  const record = { name: "web.gossip", type: "A", data: "10.0.0.1" } as const;
  const plain: Partial<Packet>[] = [{}, { additionals: [record] }];
  const others: Partial<Packet>[] = [
    { questions: [] },
    { questions: [question, question] },
    { answers: [record] },
    { authorities: [record] },
    { additionals: [record, record] },
  ];
  for (const more of [...plain, ...others]) {
    const { rcode } = await answered(ask("web.gossip", "A", more));
    const expected = plain.includes(more) ? "NOERROR" : "FORMERR";
    assertEquals(rcode, expected, JSON.stringify(more));
  }
});

Deno.test("what does not fit is cut, and says so: over UDP no answer is longer than 512 bytes", async () => {
  const many = sourceOf(Array.from({ length: 300 }, (_, i) => {
    return member(`m${i}`, { address: `10.0.${i >> 8}.${i & 255}:80`, tags: { role: "web" } });
  }));
  for (const type of ["A", "SRV"]) {
    const query = ask("web.gossip", type, {
      additionals: [{
        type: "OPT",
        name: ".",
        udpPayloadSize: 4_096,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      }],
    });
    const bytes = await answerTo(query, many, UDP_BYTES_MAX);
    assertLessOrEqual(bytes!.length, UDP_BYTES_MAX);
    const cut = await answered(query, { source: many });
    assertEquals(cut["flag_tc"], true);
    assert(cut.answers!.length > 5);
    const whole = await answered(query, { source: many, bytesMax: 65_535 });
    assertEquals([whole["flag_tc"], whole.answers!.length], [false, 300]);
    const { length } = (await answerTo(query, many, 65_535))!;
    if (type === "A") assertEquals((await answerTo(query, many, length))!.length, length);
  }
});

Deno.test("callers who take the first of the places take them in turn", async () => {
  let next = 0;
  const source = { ...SOURCE, random: () => next++ % 2 * 0.9 };
  const first = async () => short((await answered(ask("web.gossip", "SRV"), { source })).answers);
  assertEquals((await first()).length, 2);
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const { answers } = await answered(ask("web.gossip", "SRV"), { source });
    seen.add(short(answers!.slice(0, 1))[0]!);
  }
  assertEquals(seen.size, 2);
});

Deno.test("invariant 7: any bytes get a short answer, or none, and never an error of this program", async () => {
  const valid = ask("web.gossip", "A");
  const fcBytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc.tuple(fc.nat({ max: valid.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: 40 }))
      .map(([at, byte, less]) => {
        const bytes = new Uint8Array(valid);
        bytes[at] = byte;
        return bytes.subarray(0, bytes.length - less);
      }),
  );
  await fc.assert(
    fc.asyncProperty(fcBytes, async (bytes) => {
      const answer = await answerTo(bytes, SOURCE, UDP_BYTES_MAX);
      assertLessOrEqual(answer?.length ?? 0, UDP_BYTES_MAX);
    }),
    { numRuns: 3_000 },
  );
});
