/** What real nodes remember of the past: killed in the middle of writing, off while much happened, in a cluster with a key. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readPast } from "../../lib/host/past_file.ts";
import { eventually } from "../support/eventually.ts";
import { spawnNode, startNode, type TestNode } from "../support/nodes.ts";
import { PATIENT_FLAGS, rowOf, tell } from "../support/peer.ts";

const KEY = "an-eight-word-key-that-is-long-enough";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Seen {
  readonly id: string;
  readonly to: string;
  readonly toldBy: string | null;
}

async function ask<T>({ address }: TestNode, path: string, key = ""): Promise<T> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`http://${address}/${path}`, { headers });
  assertEquals(response.status, 200, path);
  return await response.json();
}

async function seen(node: TestNode, id: string, key = ""): Promise<string[]> {
  const { changes } = await ask<{ changes: Seen[] }>(node, `history?id=${id}`, key);
  return changes.map(({ to, toldBy }) => toldBy === null ? to : `${to}, told by ${toldBy}`);
}

Deno.test("a node that is killed with kill -9 while it writes keeps all but the last lines, and goes on", () =>
  inFolder(async (folder) => {
    const state = `${folder}/n1.state`;
    let before = 0;
    for (let life = 0; life < 3; life++) {
      await using node = await spawnNode("n1", `-state ${state} ${PATIENT_FLAGS}`);
      let pushed = 0;
      let killed = false;
      const pushing = (async () => {
        for (; !killed && pushed < 200; pushed++) {
          const rows = Array.from({ length: 50 }, (_, i) => rowOf(`m${life}-${pushed}-${i}`));
          await tell(node.address, rows).catch(() => {});
        }
      })();
      await eventually(() => {
        const { entries } = readPast(state, () => {});
        assert(entries.length > before);
      });
      node.kill("SIGKILL");
      killed = true;
      await pushing;
      const troubles: string[] = [];
      const { entries } = readPast(state, (text) => troubles.push(text));
      assert(entries.length > before);
      assertEquals(troubles, []);
      before = entries.length;
    }
  }));

for (const kind of ["an open", "a private"]) {
  const key = kind === "an open" ? "" : KEY;

  Deno.test(`in ${kind} cluster a node that was off is told what it missed; planned stops are not down`, () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/keys`, `${KEY}\n`);
      const flags = key === "" ? "" : `-private -key-file ${folder}/keys`;
      await using a = startNode("a", `-state ${folder}/a ${flags}`);
      const join = `-join ${a.address} ${flags}`;
      await using c = startNode("c", join);
      const shows = (node: TestNode, id: string, last: string) =>
        eventually(async () => assertMatch((await seen(node, id, key)).at(-1) ?? "", RegExp(last)));
      {
        await using d = startNode("d", join);
        {
          await using b = startNode("b", `-state ${folder}/b ${join}`);
          await shows(b, d.id, "^live$");
          await shows(b, c.id, "^live$");
          await shows(a, b.id, "^live$");
        }
        await shows(a, "b", "^left$");
        await shows(c, "b", "^left$");
      }
      await shows(a, "d", "^left$");
      await shows(c, "d", "^left$");
      await using b = startNode("b", `-state ${folder}/b ${join}`);
      await eventually(async () => {
        assertMatch((await seen(b, "d", key)).join(), /^live,left, told by [ac](?:,left)?$/);
      });
      const { uptime } = await ask<{ uptime: { day: number } }>(b, "members/d", key);
      assertEquals(uptime.day, 100);
      assertEquals((await ask<{ unknown: unknown[] }>(b, "history", key)).unknown, []);
      for (const request of ["GET history", "GET members?at=0", "POST missed?from=0&to=1"]) {
        const [method = "", path] = request.split(" ");
        const response = await fetch(`http://${c.address}/${path}`, { method });
        await response.body?.cancel();
        assertEquals(response.status, key === "" ? 200 : 401, request);
      }
    }));
}
