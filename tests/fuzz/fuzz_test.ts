import { assert, assertRejects, assertStringIncludes } from "@std/assert";
import { fuzz, FuzzFailure } from "./run.ts";
import { TARGETS } from "./targets.ts";

/** Cases of each target in each run of the tests; `deno task fuzz` runs more, with other seeds. */
const CASES = 1_000;

/** Any one: the same in every run, so that a red test can be replayed. */
const SEED = 20_261_122;

for (const name of Object.keys(TARGETS)) {
  Deno.test(`fuzz: ${CASES} hostile inputs do no harm to '${name}' (seed ${SEED})`, async () => {
    assert(await fuzz(name, { seed: SEED, cases: CASES }) >= 0);
  });
}

Deno.test("fuzz: a failure tells the input and how to replay it", async () => {
  const targets = TARGETS as Record<string, unknown>;
  targets["broken"] = {
    corpus: ["good"],
    attack: (text: string) => {
      if (text !== "good") throw new Error("not good");
    },
  };
  try {
    const { message } = await assertRejects(
      () => fuzz("broken", { seed: 5, cases: 99 }),
      FuzzFailure,
    );
    assertStringIncludes(message, "not good");
    assertStringIncludes(message, "deno task fuzz 5 --target broken");
  } finally {
    delete targets["broken"];
  }
});
