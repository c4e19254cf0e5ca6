import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PastFile, readPast, SEGMENTS_MAX } from "../../lib/host/past_file.ts";
import { decodeEntry, encodeEntry } from "../../lib/host/past_format.ts";
import type { PastEntry } from "../../lib/report/past.ts";
import { seededRandom } from "../support/dice.ts";
import { FakeDisk } from "../support/fake_disk.ts";
import { Timers } from "../support/timers.ts";

const T = Date.UTC(2026, 0, 1);
const NOTHING = { entries: [], segments: [], torn: false };

function changeOf(i: number, reason = "connection refused, witnessed by n1 and n2"): PastEntry {
  const change = {
    atMs: T + i,
    id: `n${i}`,
    from: "live",
    to: "dead",
    reason,
    by: undefined,
  } as const;
  return { kind: "change", change };
}

function fileOn(statePath: string, options: { disk?: FakeDisk; keptFromMs?: number } = {}) {
  const troubles: (string | undefined)[] = [];
  const found = options.disk === undefined
    ? readPast(statePath, (text) => troubles.push(text))
    : NOTHING;
  const { disk, keptFromMs = T } = options;
  const file = new PastFile({
    statePath,
    found,
    keptFromMs: () => keptFromMs,
    onTrouble: (text) => troubles.push(text),
    ...disk !== undefined && { disk },
  });
  return { file, found, troubles };
}

async function inFolder(run: (statePath: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(`${folder}/n1.state`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("entries read back as they were written, each a line of about 100 bytes", () => {
  const gap = { fromMs: T, toMs: T + 5 };
  const entries: PastEntry[] = [changeOf(1), { kind: "gap", gap }, { kind: "told", gap, by: "n4" }];
  assertEquals(entries.map((entry) => decodeEntry(encodeEntry(entry).trimEnd())), entries);
  assert(encodeEntry(changeOf(1)).length < 100);
});

Deno.test("wrong lines are no entries, and no reason forges a line", () => {
  const wrong = ["", "{", "[]", "null", '[1,"n1",null,"gone","x"]', '[-1,"n1",null,"live","x"]'];
  const others = [
    '[1,"n 1",null,"live","x"]',
    "[5,1]",
    '[1,"n1","forgotten","live","x"]',
    "[1,2,3]",
  ];
  for (const line of [...wrong, ...others]) assertEquals(decodeEntry(line), undefined, line);
  const entry = decodeEntry(
    `[1,"n1",null,"live",${JSON.stringify(`a\n\x1b[31mb${"x".repeat(999)}`)}]`,
  );
  assert(entry?.kind === "change");
  assertEquals([entry.change.reason.slice(0, 7), entry.change.reason.length], ["a [31mb", 199]);
});

Deno.test("what was written is there after a restart, and the next life goes on in the same file", () =>
  inFolder(async (statePath) => {
    const first = fileOn(statePath);
    for (let i = 0; i < 5; i++) first.file.add(changeOf(i));
    await first.file.close();
    const second = fileOn(statePath);
    assertEquals(second.found.entries.length, 5);
    second.file.add(changeOf(5));
    await second.file.close();
    const { found, troubles } = fileOn(statePath);
    assertEquals([found.entries.length, found.segments.length, troubles], [6, 1, []]);
    assertEquals((await Deno.stat(`${statePath}.past.1`)).mode! & 0o777, 0o600);
  }));

Deno.test("a life in which nothing happened leaves no file, and what was written is not written again", async () => {
  const disk = new FakeDisk(seededRandom(1));
  const { file } = fileOn("/d/state", { disk });
  await file.save();
  assertEquals(disk.read("/d/state.past.1"), undefined);
  file.add(changeOf(0));
  await file.save();
  await file.close();
  assertEquals(disk.read("/d/state.past.1"), encodeEntry(changeOf(0)));
});

Deno.test("a line that was torn at any byte costs that line alone, and no later one", () =>
  inFolder(async (statePath) => {
    const lines = [0, 1, 2].map((i) => encodeEntry(changeOf(i))).join("");
    const lastLength = encodeEntry(changeOf(2)).length;
    for (let cut = 0; cut <= lastLength; cut++) {
      await Deno.writeTextFile(`${statePath}.past.1`, lines.slice(0, lines.length - cut));
      const { file, found, troubles } = fileOn(statePath);
      assertEquals(found.entries.length, cut === 0 ? 3 : 2, `${cut} bytes less`);
      file.add(changeOf(9));
      await file.close();
      const again = fileOn(statePath);
      assertEquals(again.found.entries.at(-1), changeOf(9));
      assert(again.found.entries.length >= found.entries.length + 1);
      // One torn line a file is what any crash leaves.
      assertEquals([troubles, again.troubles], [[], []], `${cut} bytes less`);
    }
  }));

Deno.test("a damaged or strange file costs what cannot be read, and says so", () =>
  inFolder(async (statePath) => {
    await Deno.writeTextFile(
      `${statePath}.past.1`,
      `rubbish\n\0\0\n${encodeEntry(changeOf(1))}x\ny\n`,
    );
    await Deno.mkdir(`${statePath}.past.2`);
    await Deno.writeTextFile(`${statePath.replace("n1", "1")}.past.3`, encodeEntry(changeOf(3)));
    const { found, troubles } = fileOn(statePath);
    assertEquals(found.entries, [changeOf(1)]);
    assertStringIncludes(troubles.join("\n"), "it is a folder".slice(3));
    assertStringIncludes(troubles.join("\n"), "4 lines");
  }));

Deno.test("words of any language are read back, as a file's length counts in bytes in every life", () =>
  inFolder(async (statePath) => {
    const words = "連接被拒絕".repeat(40);
    for (let life = 0; life < 8; life++) {
      const { file, found, troubles } = fileOn(statePath);
      assertEquals([found.entries.length, troubles], [life * 600, []]);
      for (let i = 0; i < 600; i++) file.add(changeOf(life * 600 + i, words));
      await file.close();
    }
    const { found } = fileOn(statePath);
    assertEquals([found.entries.length, found.segments.length], [4_800, 3]);
    for (const { number, bytes } of found.segments) {
      assertEquals(bytes, (await Deno.stat(`${statePath}.past.${number}`)).size);
    }
  }));

Deno.test("to a file that cannot be read nothing is added, and it is kept as long as one that can be", () =>
  inFolder(async (statePath) => {
    const tooLong = "x".repeat(2 * 1_048_576 + 1);
    await Deno.writeTextFile(`${statePath}.past.1`, tooLong);
    await Deno.utime(`${statePath}.past.1`, T / 1_000, T / 1_000);
    for (let i = 1; i <= 3; i++) {
      const { file, troubles } = fileOn(statePath);
      assertStringIncludes(troubles.join(), "is longer than");
      file.add(changeOf(i));
      await file.close();
    }
    assertEquals(fileOn(statePath).found.entries, [1, 2, 3].map((i) => changeOf(i)));
    assertEquals((await Deno.stat(`${statePath}.past.1`)).size, tooLong.length);
  }));

Deno.test("there are 16 files of 1 MB at most, and those that are too old go", () =>
  inFolder(async (statePath) => {
    const { file } = fileOn(statePath);
    for (let i = 0; i < 24; i++) {
      for (let j = 0; j < 3_400; j++) file.add(changeOf(i * 10_000 + j, "x".repeat(280)));
      for (let k = 0; k < 4; k++) await file.save();
    }
    await file.close();
    const { found } = fileOn(statePath);
    assertEquals(found.segments.length, SEGMENTS_MAX);
    assert(found.segments.every(({ bytes }) => bytes < 1.5 * 1_048_576));
    const later = fileOn(statePath, { keptFromMs: T + 86_400_000 });
    later.file.add(changeOf(1e9));
    await later.file.close();
    assertEquals(fileOn(statePath).found.segments.length, 1);
  }));

Deno.test("on a full disk changes wait, and are written once there is room: none is lost, no line is torn in two", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const disk = new FakeDisk(seededRandom(seed));
    const { file, troubles } = fileOn("/d/state", { disk });
    file.add(changeOf(0));
    await file.save();
    disk.fullAfter(seed * 7);
    for (let i = 1; i < 9; i++) file.add(changeOf(i));
    await file.save();
    assertStringIncludes(file.trouble ?? "", "No space left");
    disk.fullAfter(Infinity);
    await file.save();
    assertEquals([file.trouble, troubles.at(-1)], [undefined, undefined]);
    const lines = disk.read("/d/state.past.1")!.split("\n");
    const read = lines.map(decodeEntry).filter((entry) => entry !== undefined);
    const ids = new Set(read.map((entry) => entry.kind === "change" ? entry.change.id : ""));
    assertEquals([...ids].sort(), Array.from({ length: 9 }, (_, i) => `n${i}`));
    await file.close();
  }
});

Deno.test("changes are written together a second after the first, and 5 s later where that failed", async () => {
  using timers = new Timers();
  const disk = new FakeDisk(seededRandom(3));
  const { file } = fileOn("/s/n1.state", { disk });
  file.add(changeOf(1));
  file.add(changeOf(2));
  assertEquals(timers.delays, [1_000]);
  disk.full = true;
  await file.save();
  assertEquals(timers.delays, [5_000]);
  file.add(changeOf(3));
  assertEquals(timers.delays, [5_000], "a change makes a full disk no emptier");
  disk.full = false;
  await file.save();
  assertEquals(timers.delays, [], "nothing waits");
  file.add(changeOf(4));
  assertEquals(timers.delays, [1_000]);
  disk.full = true;
  await file.close();
  file.add(changeOf(5));
  assertEquals(timers.delays, [], "its last write was the last, though it failed");
});

Deno.test("after a power cut at any step the file holds the first changes whole", async () => {
  for (let steps = 0; steps < 40; steps++) {
    const disk = new FakeDisk(seededRandom(steps + 1));
    const { file } = fileOn("/d/state", { disk });
    disk.crashAfter(steps);
    for (let i = 0; i < 6; i++) {
      file.add(changeOf(i));
      await file.save();
    }
    await file.close();
    const text = disk.read("/d/state.past.1", "cut") ?? "";
    const lines = text.split("\n").slice(0, -1).map(decodeEntry);
    assertEquals(lines, lines.map((_, i) => changeOf(i)));
  }
});
