// The code of JSR's @std/assert, from npm: JSR cannot be reached everywhere.
// @ts-types="./assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
