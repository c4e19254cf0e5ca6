// The code of JSR's @std/text, from npm: JSR cannot be reached everywhere.
// @ts-types="./levenshtein_distance.d.ts"
export * from "npm:deno-std@1.4.0/text/levenshtein_distance.js";
