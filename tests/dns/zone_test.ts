import { assertEquals } from "@std/assert";
import { isInZone, meaningOf, targetOf } from "../../lib/dns/zone.ts";
import type { ListedMember } from "../../lib/report/members.ts";

function member(id: string, more: Partial<ListedMember> = {}): ListedMember {
  const heard = { lastHeartbeat: null, ageMs: 0, reason: null, since: null, remark: null };
  return { id, address: `${id}:8080`, status: "live", ...heard, tags: {}, ports: {}, ...more };
}

const MEMBERS = [
  member("n1", { tags: { role: "web", zone: "a" }, ports: { web: 3_000 } }),
  member("n2", { tags: { role: "Web", zone: "b" } }),
  member("n3", { address: "[fd00::3]:8080", tags: { role: "db" }, ports: { web: 3_003 } }),
];

/** What a name stands for, in short. */
function means(name: string): string | undefined {
  const meaning = meaningOf(name, MEMBERS);
  if (meaning === undefined) return undefined;
  if (meaning.kind === "ip") return meaning.ip;
  return meaning.places.map(({ host, port }) => `${host} ${port}`).join();
}

Deno.test("a name of one label is a role or a service: its port, or that of the node itself", () => {
  assertEquals(means("web.gossip"), "n1 3000,n2 8080,fd00::3 3003");
  assertEquals(means("db.gossip"), "fd00::3 8080");
  assertEquals(means("_web._tcp.gossip"), means("web.gossip"));
});

Deno.test("a name of two labels is a tag's value and key", () => {
  assertEquals(means("a.zone.gossip"), "n1 8080");
  assertEquals(means("web.role.gossip"), "n1 8080,n2 8080");
});

Deno.test("the zone itself is every member, and exists without any", () => {
  assertEquals(means("gossip"), "n1 8080,n2 8080,fd00::3 8080");
  assertEquals(meaningOf("gossip", []), { kind: "places", places: [] });
});

Deno.test("a name that nobody has does not exist", () => {
  for (
    const name of [
      "smtp",
      "rack",
      "a",
      "c.zone",
      "_web._udp",
      "web._tcp",
      "x.web",
      "a.b.zone",
      "b.zone.ip",
    ]
  ) {
    assertEquals(means(`${name}.gossip`), undefined, name);
  }
});

Deno.test("a name below which others are exists, and stands for nothing", () => {
  for (const name of ["zone", "Zone", "role", "ip", "_tcp"]) {
    assertEquals(means(`${name}.gossip`), "", name);
  }
});

Deno.test("names are the same in upper and lower case", () => {
  assertEquals(means("WEB.Gossip"), means("web.gossip"));
  assertEquals(means("A.ZONE.GOSSIP"), "n1 8080");
});

Deno.test("what SRV records lead to is the host's name, or one that stands for its address", () => {
  assertEquals(targetOf({ host: "n1.example", port: 1 }), "n1.example");
  for (const host of ["127.0.0.1", "192.0.2.250", "fd00::3", "2001:db8::1"]) {
    const target = targetOf({ host, port: 1 });
    const meaning = meaningOf(target, []);
    const ip = meaning?.kind === "ip" ? meaning.ip : "";
    assertEquals(
      new URL(`http://${ip.includes(":") ? `[${ip}]` : ip}`).hostname,
      new URL(
        `http://${host.includes(":") ? `[${host}]` : host}`,
      ).hostname,
    );
  }
  for (const hex of ["7f00000", "7f0000011", "7f00000g", "x".repeat(32)]) {
    assertEquals(means(`${hex}.ip.gossip`), undefined, hex);
  }
});

Deno.test("a name outside the zone, or of other characters, is none of this server's", () => {
  for (const name of ["gossip", "web.gossip", "GOSSIP", "_web._tcp.gossip"]) {
    assertEquals(isInZone(name), true, name);
  }
  for (
    const name of ["", ".", "example.com", "xgossip", "gossip.example", "a b.gossip", "é.gossip"]
  ) {
    assertEquals(isInZone(name), false, name);
  }
});
