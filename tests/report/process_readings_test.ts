import { assert, assertEquals } from "@std/assert";
import { cpuUsage } from "node:process";
import { readProcess } from "../../lib/report/process_readings.ts";

Deno.test("readProcess() tells the CPU time of this process, its own and the system's for it, its memory and its start", async () => {
  const seconds = () => {
    const { user, system } = cpuUsage();
    return (user + system) / 1e6;
  };
  const before = seconds();
  const { cpuSeconds, residentBytes, startSeconds } = (await readProcess())!;
  assert(before <= cpuSeconds && cpuSeconds <= seconds(), `${before}, ${cpuSeconds}`);
  assert(residentBytes > 10_000_000, `${residentBytes}`);
  assertEquals(startSeconds, performance.timeOrigin / 1_000);
});
