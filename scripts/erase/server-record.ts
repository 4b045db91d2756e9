import { join } from "node:path";
import { readFileIfThere } from "../engine/atomic-file.ts";

/**
 * The clone whose stack a server was made or last brought up for, by the record in the server's folder.
 *
 * @returns its path; undefined: there is no record that says so
 */
export function recordedClone(folder: string): string | undefined {
  const text = readFileIfThere(join(folder, "server.json"));
  if (text === undefined) return undefined;
  try {
    const { clone } = JSON.parse(text) as { clone?: unknown };
    return typeof clone === "string" ? clone : undefined;
  } catch {
    // What cannot be read says nothing, and whose the server is stays unknown.
    return undefined;
  }
}
