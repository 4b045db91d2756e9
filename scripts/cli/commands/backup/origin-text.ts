import type { BackupOrigin } from "../../../backup/info.ts";
import type { Restored } from "../../../backup/restore/restore.ts";

/** Describes who requested a backup. undefined: it is not known, as of a scheduled one. */
export function describeRequester({ user, commit, isModified }: BackupOrigin): string | undefined {
  const state = commit === null ? [] : [`commit ${commit.slice(0, 10)}${isModified ? ", modified" : ""}`];
  const parts = [...(user === null ? [] : [user]), ...state];
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** Describes the image of a backup. */
export function describeImage({ image, postgres }: Pick<BackupOrigin, "image" | "postgres">): string {
  const release = postgres === null ? [] : [`PostgreSQL ${postgres}`];
  return [...release, ...(image === null ? [] : [shortened(image)])].join(", ") || "not recorded";
}

/** Returns a note if a restored backup was made with another image than the server that read it, or nothing. */
export function noteOnImage({ madeWith }: Pick<Restored, "madeWith">): string[] {
  if (madeWith.isSame === true) return [];
  if (madeWith.isSame === null)
    return ["With which image the backup was made is not recorded, so it was not compared."];
  return [
    `The backup was made with another image (${describeImage(madeWith)}) than the stack's. ` +
      "If versions of collations differ, indexes on text can be in the wrong order: see `npm run db:validate`.",
  ];
}

/** Shortens the ID of an image as Docker does. */
function shortened(image: string): string {
  return image.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]{52}$/, "$1");
}
