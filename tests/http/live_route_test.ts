import { assert, assertEquals } from "@std/assert";
import { SAYS_NOTHING, writeAbout } from "../../lib/about.ts";
import { encodeMessage } from "../../lib/wire.ts";
import { type Door, NOW_MS, openDoor } from "../support/door.ts";
import { rowOf } from "../support/peer.ts";

/** A web server beside `id` is heard of. */
async function hear(door: Door, id: string): Promise<void> {
  const about = writeAbout({ ...SAYS_NOTHING, tags: { role: "web" }, ports: { web: 3_000 } });
  const row = { ...rowOf(id, { address: `${id}:80`, heartbeat: NOW_MS }), about };
  const body = encodeMessage({ roster: "0".repeat(16), rows: [row] });
  await door.ask(`POST /hello?from=${id}&via=${id}:80`, { body });
}

async function etagOf(door: Door, query = ""): Promise<string> {
  return (await door.ask(`GET /live?${query}`)).headers.get("etag")!;
}

Deno.test("GET /live lists the live, by tag and by port", async () => {
  await using door = openDoor();
  await hear(door, "n2");
  assertEquals((await door.ask("GET /live")).text, "n2:80\nnode1:8080\n");
  assertEquals((await door.ask("GET /live?tag=role=web&port=web")).text, "n2:3000\n");
  assertEquals((await door.ask("GET /live?tag=role=db")).text, "");
});

Deno.test("GET /live answers 304 to who has the list, by If-None-Match or since", async () => {
  await using door = openDoor();
  const etag = await etagOf(door);
  const since = etag.replaceAll('"', "");
  assertEquals((await door.ask(`GET /live?since=${since}`)).status, 304);
  assertEquals((await door.ask("GET /live", { headers: { "if-none-match": etag } })).status, 304);
  assertEquals((await door.ask("GET /live?since=0123")).status, 200);
});

Deno.test("GET /live?wait= answers as soon as the list is another one", async () => {
  await using door = openDoor();
  const since = (await etagOf(door, "tag=role=web")).replaceAll('"', "");
  const waiting = door.ask(`GET /live?tag=role=web&wait=55s&since=${since}`);
  // Another change, which is none of this list.
  await door.ask("POST /bye?id=n9&unknown=yes");
  await hear(door, "n2");
  const answer = await waiting;
  assertEquals([answer.status, answer.text], [200, "n2:80\n"]);
});

Deno.test("GET /live?wait= answers 304 when the time is over, and at once without an ETag", async () => {
  await using door = openDoor();
  const since = (await etagOf(door)).replaceAll('"', "");
  assertEquals((await door.ask(`GET /live?wait=10ms&since=${since}`)).status, 304);
  assertEquals((await door.ask("GET /live?wait=55s")).status, 200);
});

Deno.test("invariant 7: of those who wait the greediest address loses one to the next", async () => {
  await using door = openDoor();
  const since = (await etagOf(door)).replaceAll('"', "");
  const wait = (remote: string) => door.ask(`GET /live?wait=55s&since=${since}`, { remote });
  const greedy = Array.from({ length: 100 }, () => wait("192.0.2.7"));
  const modest = wait("192.0.2.8");
  const { status, headers } = await Promise.race(greedy);
  // With 304 it would ask again at once, and take the place of another, without end.
  assertEquals([status, headers.get("retry-after")], [503, "1"]);
  await hear(door, "n2");
  assertEquals((await modest).text, "n2:80\nnode1:8080\n");
  const answers = await Promise.all(greedy);
  assertEquals(answers.filter(({ status }) => status === 200).length, 99);
});

Deno.test("GET /live refuses what it cannot read, with a line that says what to give", async () => {
  await using door = openDoor();
  for (
    const query of ["wait=30", "wait=1m", "wait=-1s", "port=80", "port=", "tag=role", "tag=a b=c"]
  ) {
    const answer = await door.ask(`GET /live?${encodeURI(query)}`);
    assertEquals(answer.status, 400, query);
    assert(/give /i.test(answer.text), answer.text);
  }
});

Deno.test("POST /tag changes this node's tags, for all to see, and answers with them", async () => {
  await using door = openDoor();
  const tags = async (line: string, body?: string) =>
    (await door.ask(line, body === undefined ? {} : { body })).text;
  assertEquals(await tags("POST /tag?set=role=web&set=zone=a"), '{"role":"web","zone":"a"}');
  const { members } = JSON.parse((await door.ask("GET /members")).text);
  assertEquals(members[0].tags, { role: "web", zone: "a" });
  assertEquals(await tags("POST /tag", "set=role%3Ddb&unset=zone"), '{"role":"db"}');
});

Deno.test("POST /tag refuses what is no tag, and too many; GET changes nothing", async () => {
  await using door = openDoor();
  const many = Array.from({ length: 17 }, (_, i) => `set=k${i}=x`).join("&");
  for (const query of ["", "set=role", "set==x", many, "set=role=a%20b"]) {
    assertEquals((await door.ask(`POST /tag?${query}`)).status, 400, query);
  }
  assertEquals((await door.ask("GET /tag?set=role=web")).status, 405);
  const foreign = { "sec-fetch-site": "cross-site", "origin": "https://evil.example" };
  assertEquals((await door.ask("POST /tag?set=role=web", { headers: foreign })).status, 403);
  const { members } = JSON.parse((await door.ask("GET /members")).text);
  assertEquals(members[0].tags, {});
});
