// The code of JSR's @std/cli, from npm: JSR cannot be reached everywhere.
// @ts-types="./parse_args.d.ts"
export * from "npm:deno-std@1.4.0/cli/parse_args.js";
