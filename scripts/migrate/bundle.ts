import { createHash } from "node:crypto";
import type { FilesInMemory } from "../core/file-source.ts";
import { exitCode, OperationError } from "../core/operation-error.ts";

/** The committed migrations of one database as data, for an application that has no folder of them. */
export interface MigrationBundle {
  /** Version of this format. */
  format: number;
  /** Name of the database's folder. */
  database: string;
  /** Files by path, relative to that folder. */
  files: Readonly<Record<string, BundledFile>>;
}

/** One file of a bundle. */
export interface BundledFile {
  /** SHA-256 of the file, in hex. */
  sha256: string;
  text: string;
}

/** The bundle format that this version writes and reads. */
export const bundleFormat = 1;

/** Returns the entry of a file in a bundle. */
export function bundledFile(content: Buffer): BundledFile {
  return { sha256: sha256(content), text: content.toString("utf8") };
}

/**
 * Returns the files of a bundle, after a check of their hashes: a tool that rewrites the module could change a file.
 *
 * @throws OperationError (exit code usage) for a value that is not a bundle, or has another format; (exit code wrong)
 * that lists the files whose text does not match its hash
 */
export function openBundle(bundle: MigrationBundle): FilesInMemory {
  const { format, database, files } = requireShape(bundle);
  if (format !== bundleFormat) {
    throw new OperationError(`The bundle has the format ${format}, and this version reads ${bundleFormat}.`, {
      hint: "Write the bundle again with the version of pgroundwork that the application has.",
      exitCode: exitCode.usage,
    });
  }
  const name = `the bundle of ${database}`;
  const entries = Object.entries(files);
  const changed = entries.filter(([, file]) => sha256(Buffer.from(file.text, "utf8")) !== file.sha256);
  if (changed.length === 0) return { name, files: new Map(entries.map(([file, { text }]) => [file, text])) };
  throw new OperationError(
    [`Files in ${name} do not match their hashes:`, ...changed.map(([file]) => `- ${file}`)].join("\n"),
    {
      hint: "Write the bundle again with `pgw migrate bundle`, and let no other tool change its texts.",
      exitCode: exitCode.wrong,
    },
  );
}

/** Requires the shape of a bundle. A program in JavaScript can pass a module, a path or nothing. */
function requireShape(value: MigrationBundle): MigrationBundle {
  const given = value as Partial<MigrationBundle> | undefined;
  const isBundle =
    typeof given?.format === "number" &&
    typeof given.database === "string" &&
    typeof given.files === "object" &&
    given.files !== null &&
    Object.values(given.files).every((file) => typeof file?.text === "string" && typeof file.sha256 === "string");
  if (isBundle) return value;
  throw new OperationError("`from` is not a bundle of migrations.", {
    hint: "Pass the default export of the module that `pgw migrate bundle` writes.",
    exitCode: exitCode.usage,
  });
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
