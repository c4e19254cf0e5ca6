export * from "../../std/assert.ts";
