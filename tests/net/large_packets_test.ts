import { assertEquals } from "@std/assert";
import { COUNTED_MAX, LargePackets, SILENT_TIMES } from "../../lib/net/large_packets.ts";

/** Peers of whom small answers pass, and the hints at them. */
function open() {
  const probed: string[] = [];
  const hints: string[] = [];
  const packets = new LargePackets({
    probe: (address) => {
      probed.push(address);
      return Promise.resolve(true);
    },
    onHint: (text) => hints.push(text),
  });
  const fall = async (address: string, times: number) => {
    for (let i = 0; i < times; i++) await packets.silent(address);
  };
  return { packets, probed, hints, fall };
}

Deno.test("LargePackets probes once after three silent exchanges in a row, and again when one was answered between", async () => {
  const { packets, probed, hints, fall } = open();
  await fall("a:1", SILENT_TIMES - 1);
  assertEquals(probed, []);
  await fall("a:1", 5);
  assertEquals([probed, hints.length], [["a:1"], 1]);
  packets.answered("a:1");
  await fall("a:1", SILENT_TIMES);
  assertEquals([probed.length, hints.length], [2, 2]);
});

Deno.test("invariant 7: LargePackets counts a bounded number of addresses, and then starts anew", async () => {
  const { probed, fall } = open();
  await fall("a:1", 1);
  for (let i = 1; i < COUNTED_MAX; i++) await fall(`b${i}:1`, 1);
  await fall("b1:1", SILENT_TIMES - 2);
  // The table is full, so that counted b1 and forgot a.
  await fall("a:1", SILENT_TIMES - 1);
  assertEquals(probed, []);
});
