import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { decodeSaved, encodeSaved, type Saved } from "../../lib/host/state_format.ts";
import type { Disk } from "../../lib/host/disk.ts";
import { readState, StateError, StateFile } from "../../lib/host/state_file.ts";
import { FakeDisk } from "../support/fake_disk.ts";
import { seededRandom } from "../support/dice.ts";
import { Timers } from "../support/timers.ts";

/** Windows lets few users create links. */
const NO_LINKS = Deno.build.os === "windows";

const NODE = { id: "n1", idGiven: false, cluster: "default" };

function saved(tombstones: readonly string[] = []): Saved {
  return {
    id: "n1",
    cluster: "default",
    heartbeat: 100,
    addresses: ["n2:8080"],
    members: [],
    tombstones: tombstones.map((id) => ({ id, by: "n1" })),
    told: [],
  };
}

async function withFolder(body: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A state file on `disk`, whose snapshot is whatever `current` holds. */
function stateFile(path: string, current: () => Saved, disk?: Disk) {
  const troubles: (string | undefined)[] = [];
  const onTrouble = (trouble: string | undefined) => troubles.push(trouble);
  const file = new StateFile({ path, snapshot: current, onTrouble, ...(disk && { disk }) });
  return { file, troubles };
}

Deno.test("readState() finds what save() wrote, in a file only its owner can read", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/n1.state`;
    assertEquals(readState(path, NODE), undefined);
    const { file } = stateFile(path, () => saved(["n3"]));
    assert(await file.save());
    await file.close();
    assertEquals(readState(path, NODE), saved(["n3"]));
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["n1.state"]);
  });
});

Deno.test(
  "save() replaces a file that a killed process left half-written, and follows no link in its place",
  { ignore: NO_LINKS },
  async () => {
    await withFolder(async (folder) => {
      const path = `${folder}/n1.state`;
      await Deno.writeTextFile(`${folder}/victim`, "precious");
      await Deno.symlink(`${folder}/victim`, `${path}.part`);
      const { file } = stateFile(path, () => saved());
      assert(await file.save());
      await file.close();
      assertEquals(await Deno.readTextFile(`${folder}/victim`), "precious");
      assertEquals(readState(path, NODE), saved());
    });
  },
);

Deno.test("readState() refuses a file that it cannot use, names it, says what to do, and does not change it", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/n1.state`;
    const cases = [
      ["", "it is empty"],
      ["[Unit]\nDescription=something else\n", "it is not a state file of gossiper"],
      [encodeSaved(saved()).slice(0, 90), "it is damaged"],
      [encodeSaved({ ...saved(), cluster: "prod" }), "belongs to cluster 'prod', not 'default'"],
    ] as const;
    for (const [text, why] of cases) {
      await Deno.writeTextFile(path, text);
      const error = assertThrows(() => readState(path, NODE), StateError, why);
      assertStringIncludes(error.message, path);
      assertStringIncludes(error.message, "choose another -state");
      assertEquals(error.status, 2);
      assertEquals(await Deno.readTextFile(path), text);
    }
    assertThrows(() => readState(folder, NODE), StateError, `Cannot use '${folder}'`);
    const lost = `${folder}/none/n1.state`;
    assertThrows(
      () => readState(lost, NODE),
      StateError,
      `the folder '${folder}/none' does not exist`,
    );
  });
});

Deno.test("readState() refuses a decommissioned node, with status 0, unless it takes another ID", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/n1.state`;
    await Deno.writeTextFile(path, encodeSaved(saved(["n1", "n5"])));
    const error = assertThrows(() => readState(path, NODE), StateError, "n1, is decommissioned");
    assertEquals(error.status, 0);
    assertThrows(() => readState(path, { ...NODE, id: "n5", idGiven: true }), StateError, "n5");
    assert(readState(path, { ...NODE, id: "n7", idGiven: true }) !== undefined);
  });
});

Deno.test(
  "readState() refuses what is not a regular file: a FIFO would block, and /dev/zero has no end",
  { ignore: NO_LINKS },
  async () => {
    await withFolder(async (folder) => {
      const fifo = `${folder}/fifo`;
      assert((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
      for (const path of [fifo, "/dev/zero"]) {
        const text =
          `Cannot use '${path}' as the state file: it is not a regular file; choose another`;
        assertThrows(() => readState(path, NODE), StateError, text);
      }
    });
  },
);

Deno.test("a link is followed, whether the file is there yet or not, and stays a link", {
  ignore: NO_LINKS,
}, async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/data`);
    await Deno.symlink("data/n1.state", `${folder}/relative`);
    await Deno.symlink(`${folder}/relative`, `${folder}/absolute`);
    const path = `${folder}/absolute`;
    assertEquals(readState(path, NODE), undefined);
    for (const tombstones of [["n3"], ["n3", "n4"]]) {
      const { file } = stateFile(path, () => saved(tombstones));
      assert(await file.save());
      await file.close();
      assertEquals(readState(`${folder}/data/n1.state`, NODE), saved(tombstones));
    }
    assert(Deno.lstatSync(path).isSymlink && Deno.lstatSync(`${folder}/relative`).isSymlink);
    await Deno.remove(`${folder}/data`, { recursive: true });
    assertThrows(() => readState(path, NODE), StateError, `the folder '${folder}/data' does not`);
  });
});

Deno.test("StateFile says to mount the folder where the file cannot be replaced: it is a mount, or its folder is read-only", async () => {
  for (const [code, step] of [["EBUSY", "rename"], ["EXDEV", "rename"], ["EROFS", "open"]]) {
    const disk = new FakeDisk(seededRandom(3));
    const fail = (): Promise<never> =>
      Promise.reject(Object.assign(new Error("It cannot be"), { code }));
    const failing: Disk = {
      open: (path, options) => step === "open" ? fail() : disk.open(path, options),
      rename: fail,
      remove: (path) => disk.remove(path),
    };
    const { file } = stateFile("/s/n1.state", () => saved(), failing);
    assertEquals(await file.save(), false);
    assertStringIncludes(
      file.trouble ?? "",
      "Cannot write the state file '/s/n1.state': It cannot be.",
    );
    assertStringIncludes(file.trouble ?? "", "mount the folder, not the file");
    await file.close();
  }
});

Deno.test("save() calls made while one write is under way share the next", async () => {
  const disk = new FakeDisk(seededRandom(1));
  const tombstones: string[] = [];
  const { file } = stateFile("/s/n1.state", () => saved(tombstones), disk);
  const saves = [];
  for (let i = 0; i < 50; i++) {
    tombstones.push(`x${i}`);
    saves.push(file.save());
    await Promise.resolve();
  }
  assertEquals(await Promise.all(saves), saves.map(() => true));
  assert(disk.renames < 20, `${disk.renames} writes for 50 saves`);
  await file.close();
  assertEquals(decodeSaved(disk.read("/s/n1.state")!), saved(tombstones));
});

Deno.test("StateFile reports a failing disk once, leaves the file whole, and reports when writes work again", async () => {
  const disk = new FakeDisk(seededRandom(2));
  const tombstones: string[] = [];
  const { file, troubles } = stateFile("/s/n1.state", () => saved(tombstones), disk);
  assert(await file.save());
  disk.full = true;
  tombstones.push("x1");
  assertEquals([await file.save(), await file.save()], [false, false]);
  assertEquals(troubles.length, 1);
  assertStringIncludes(
    file.trouble ?? "",
    "Cannot write the state file '/s/n1.state': No space left",
  );
  assertEquals(decodeSaved(disk.read("/s/n1.state")!), saved());
  disk.full = false;
  assert(await file.save());
  assertEquals([troubles.length, troubles[1], file.trouble], [2, undefined, undefined]);
  await file.close();
  assertEquals(decodeSaved(disk.read("/s/n1.state")!), saved(tombstones));
});

Deno.test("a failed write is tried again after 5 s, a change is written after 1 s, and a heartbeat alone after 60 s", async () => {
  using timers = new Timers();
  const disk = new FakeDisk(seededRandom(4));
  const { file } = stateFile("/s/n1.state", () => saved(), disk);
  await file.save();
  assertEquals(timers.delays, [60_000]);
  file.touch();
  file.touch();
  assertEquals(timers.delays, [1_000], "sooner than the heartbeat's turn, and once");
  disk.full = true;
  await file.save();
  assertEquals(timers.delays, [5_000]);
  file.touch();
  assertEquals(timers.delays, [5_000], "a change makes a full disk no emptier");
  disk.full = false;
  assert(await file.save());
  assertEquals(timers.delays, [60_000]);
  await file.close();
  assertEquals(timers.delays, []);
});

Deno.test("close() writes what changed last, and nothing after it", async () => {
  using timers = new Timers();
  const disk = new FakeDisk(seededRandom(4));
  const tombstones: string[] = [];
  const { file } = stateFile("/s/n1.state", () => saved(tombstones), disk);
  await file.save();
  tombstones.push("x1");
  file.touch();
  await file.close();
  assertEquals(decodeSaved(disk.read("/s/n1.state")!), saved(tombstones));
  file.touch();
  assertEquals(timers.delays, []);
});

Deno.test("saveInTime() gives the reason where a disk fails, or takes too long", async () => {
  const path = "/disk/node.state";
  const hung = new FakeDisk(seededRandom(1));
  hung.rename = () => new Promise(() => {});
  const options = { path, snapshot: () => saved(), onTrouble: () => {}, saveMs: 10 };
  assertEquals(
    await new StateFile({ ...options, disk: hung }).saveInTime(),
    `Cannot write the state file '${path}': it takes over 0.01 s`,
  );
  const { file } = stateFile(path, () => saved(), new FakeDisk(seededRandom(2)));
  assertEquals(await file.saveInTime(), undefined);
  const full = new FakeDisk(seededRandom(3));
  full.full = true;
  const { file: failing } = stateFile(path, () => saved(), full);
  assertStringIncludes((await failing.saveInTime())!, "No space left");
  await Promise.all([file.close(), failing.close()]);
});

Deno.test("after a power cut at any step the file is whole and holds every acknowledged tombstone", async () => {
  let withCrash = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const random = seededRandom(seed);
    const disk = new FakeDisk(random);
    disk.crashAfter(Math.floor(random() * 60));
    const tombstones: string[] = [];
    const acknowledged: string[] = [];
    const { file } = stateFile("/s/n1.state", () => saved(tombstones), disk);
    const asked = [];
    for (let i = 0; i < 8; i++) {
      const id = `x${i}`;
      tombstones.push(id);
      asked.push(file.save().then((safe) => safe && acknowledged.push(id)));
      if (random() < 0.6) await asked.at(-1);
    }
    await Promise.all(asked);
    await file.close();
    if (disk.crashed) withCrash++;
    // kill -9 leaves what was written; a power cut loses what was not synced.
    const text = disk.read("/s/n1.state", random() < 0.3 ? "killed" : "cut");
    const replay = `seed ${seed}, acknowledged ${acknowledged}, file: ${text}`;
    if (text === undefined) {
      assertEquals(acknowledged, [], replay);
      continue;
    }
    const found = decodeSaved(text);
    assert(!("error" in found), replay);
    const kept = found.tombstones.map(({ id }) => id);
    assertEquals(acknowledged.filter((id) => !kept.includes(id)), [], replay);
  }
  assert(withCrash > 300, `only ${withCrash} runs reached their crash`);
});
