import { assertEquals, assertThrows } from "@std/assert";
import { isBlockedPort, refuseBlockedPort } from "../../lib/config/blocked_ports.ts";
import { UsageError } from "../../lib/config/flags.ts";

Deno.test("isBlockedPort() knows the ports that the Fetch standard names, and no other", () => {
  const all = Array.from({ length: 65_536 }, (_, port) => port).filter(isBlockedPort);
  assertEquals([all.length, all[0], all.at(-1)], [83, 0, 10_080]);
  // The usual ones of web servers and of nodes.
  assertEquals([80, 443, 3_000, 8_000, 8_080, 8_081, 8_443].filter(isBlockedPort), []);
});

Deno.test("refuseBlockedPort() takes the usual port of a URL, which does not name it", () => {
  for (const port of ["", "8080", 8_080]) refuseBlockedPort(port);
  for (const port of ["22", 22]) {
    assertThrows(() => refuseBlockedPort(port), UsageError, "give another port: 22 ");
  }
});
