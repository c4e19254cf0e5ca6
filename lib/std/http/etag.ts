// The code of JSR's @std/http, from npm: JSR cannot be reached everywhere.
// @ts-types="./etag.d.ts"
export * from "npm:deno-std@1.4.0/http/etag.js";
