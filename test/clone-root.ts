import { fileURLToPath } from "node:url";

/** Project directory: the folder of package.json. */
export const cloneRoot = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
