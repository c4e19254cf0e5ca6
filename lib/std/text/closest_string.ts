// The code of JSR's @std/text, from npm: JSR cannot be reached everywhere.
// @ts-types="./closest_string.d.ts"
export * from "npm:deno-std@1.4.0/text/closest_string.js";
