import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { leadsNowhere, unlessAbsentSync } from "../files/absent.ts";

/** Writes a whole file or nothing: a reader, or a run killed half-way, never meets a part of it. */
export function writeFileAtomically(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    writeFileSync(temporary, content, { mode, flag: "wx" });
    // The mode given at creation is narrowed by the umask.
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A file's text, or undefined when there is none; any other fault is thrown. */
export function readFileIfThere(path: string): string | undefined {
  return unlessAbsentSync(() => readFileSync(path, "utf8"), leadsNowhere);
}

/** Whether a caught value is the system error of that code, e.g. `ENOENT`. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
