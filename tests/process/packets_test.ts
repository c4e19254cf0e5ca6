import { assertEquals } from "@std/assert";
import { canUnshare, runUnshared } from "../support/unshared.ts";

const hasNft = await new Deno.Command("nft", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

Deno.test(
  "calls get through, or end as they should, where packets get lost and a port meets itself",
  {
    ignore: !canUnshare || !hasNft,
  },
  async () => {
    const { code, output } = await runUnshared(new URL("packets.ts", import.meta.url));
    assertEquals(code, 0, output);
  },
);
