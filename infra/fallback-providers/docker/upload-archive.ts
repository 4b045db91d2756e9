import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { flag, text } from "../property.ts";

/** Returns the archive that copies files into a container, or undefined if there are none. */
export async function uploadArchive(uploads: readonly Properties[]): Promise<Buffer | undefined> {
  if (uploads.length === 0) return undefined;
  const { pack } = await import("tar-stream");
  const archive = pack();
  for (const upload of uploads) {
    const header = {
      name: text(upload, "file").slice(1),
      mode: modeOf(upload),
      uid: Number(text(upload, "owner") || 0),
      gid: Number(text(upload, "group") || 0),
    };
    archive.entry(header, await contentOf(upload));
  }
  archive.finalize();
  return buffer(archive);
}

function modeOf(upload: Properties): number {
  const permissions = text(upload, "permissions");
  if (permissions !== "") return Number.parseInt(permissions, 8);
  return flag(upload, "executable") ? 0o744 : 0o644;
}

async function contentOf(upload: Properties): Promise<Buffer> {
  const source = text(upload, "source");
  if (source === "") {
    const encoded = text(upload, "contentBase64");
    return encoded === "" ? Buffer.from(text(upload, "content"), "utf8") : Buffer.from(encoded, "base64");
  }
  try {
    return await readFile(source);
  } catch (error) {
    throw new OperationError(`The file "${source}" for ${text(upload, "file")} in a container cannot be read.`, {
      cause: error,
    });
  }
}
