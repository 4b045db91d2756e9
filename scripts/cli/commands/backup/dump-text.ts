import type { DumpMetadata } from "../../../backup/dump/metadata.ts";
import { bytes } from "./texts.ts";

/** Describes new dumps, each with the command that loads it. */
export function describeDumps(
  { dumps, removed }: { dumps: readonly DumpMetadata[]; removed: readonly string[] },
  folder: string,
): string {
  return [
    ...dumps.flatMap(describe),
    `in ${folder}`,
    ...(removed.length === 0 ? [] : [`removed, older than their retention time: ${removed.join(", ")}`]),
  ].join("\n");
}

function describe({ id, content, bytes: size, durationMs, scope, restore, recipients }: DumpMetadata): string[] {
  const rows = content.tables.reduce((sum, each) => sum + each.rows, 0);
  const held = scope === "schema" ? "definitions only" : `${rows.toLocaleString("en")} rows`;
  const sealed = recipients.length > 0 ? ", encrypted" : "";
  const seconds = (durationMs / 1_000).toFixed(1);
  return [
    `${id}: ${content.tables.length} tables, ${held}, ${bytes(size)}${sealed}, in ${seconds} s`,
    "  load it with:",
    `  ${restore}`,
  ];
}
