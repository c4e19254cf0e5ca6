/** Memory that was needed once is given back, and nobody is asked for what did not change. */
import { assertEquals } from "@std/assert";
import { bindTrim, giveMemoryBack, SpareMemory } from "../../lib/host/spare_memory.ts";

const MB = 1024 * 1024;

/** A process's memory; `keptMb` of it is what the C library keeps until it is asked. */
function fakeMemory() {
  const memory = { usedMb: 60, keptMb: 0, trims: 0 };
  const spare = new SpareMemory({
    residentBytes: () => (memory.usedMb + memory.keptMb) * MB,
    trim: () => {
      memory.keptMb = 0;
      memory.trims++;
    },
  });
  return { memory, spare };
}

Deno.test("what a peak leaves is asked for once the peak is over, and no more after that", () => {
  const { memory, spare } = fakeMemory();
  memory.usedMb = 270;
  spare.look();
  memory.usedMb = 70;
  memory.keptMb = 130;
  spare.look();
  assertEquals([memory.keptMb, memory.trims], [0, 2]);
  for (let i = 0; i < 10; i++) spare.look();
  assertEquals(memory.trims, 2);
});

Deno.test("less than 8 MB more or less are left alone, however long they go up and down", () => {
  const { memory, spare } = fakeMemory();
  for (const usedMb of [67, 53, 67, 60, 53]) {
    memory.usedMb = usedMb;
    spare.look();
  }
  assertEquals(memory.trims, 0);
  memory.usedMb = 68;
  spare.look();
  assertEquals(memory.trims, 1);
});

Deno.test("giveMemoryBack() leaves no timer behind once it is ended", () => {
  giveMemoryBack(() => {})();
});

Deno.test("bindTrim() finds the function where the C library is GNU's, and calls it", () => {
  const trim = bindTrim();
  assertEquals(trim !== undefined, Deno.build.target.endsWith("linux-gnu"));
  trim?.();
});
