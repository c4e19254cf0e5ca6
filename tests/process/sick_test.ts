import { ILLS, lacks, runIll } from "./sick.ts";

// `deno run -A tests/process/sick.ts NAME` runs one of them.
for (const [name, ill] of Object.entries(ILLS)) {
  const why = await lacks(ill);
  const left = why === undefined ? "" : ` (left out, ${why})`;
  Deno.test(`${name}${left}`, { ignore: why !== undefined }, () => runIll(name));
}
