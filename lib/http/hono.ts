/**
 * What the program uses of Hono.
 *
 * Only here, in `lib/std/` and in the pragmas of `lib/page/` does the program name packages, by `npm:` and an exact
 * version: `deno install -g main.ts` and `deno run URL` read no import map and no lock file.
 *
 * @module
 */
// deno-lint-ignore-file no-import-prefix
export { type Context, Hono } from "npm:hono@4.13.19";
export { HTTPException } from "npm:hono@4.13.19/http-exception";
export { methodNotAllowed } from "npm:hono@4.13.19/method-not-allowed";
