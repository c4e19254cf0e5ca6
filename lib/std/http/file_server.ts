// @ts-types="./file_server.d.ts"
export * from "./serve_file.js";
