import { fileURLToPath } from "node:url";

/** The folder of package.json. */
export const cloneRoot = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
