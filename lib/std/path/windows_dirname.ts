// The code of JSR's @std/path, from npm: JSR cannot be reached everywhere.
// @ts-types="./dirname.d.ts"
export * from "npm:deno-std@1.4.0/path/windows/dirname.js";
