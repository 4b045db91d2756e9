import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cloneRoot } from "../../clone-root.ts";
import { recordedStacks } from "./recorded-stack.ts";
import { type ChangeKind, changeKinds } from "./resource-changes.ts";

/** A change that CHANGELOG.md announces for one resource of one recorded stack. */
export interface Announced {
  stack: string;
  type: string;
  name: string;
  change: ChangeKind;
}

/** Changes that the next version announces, and the version that it is compared with. */
export interface Announcements {
  /** Newest released version, which the recorded stacks belong to. */
  previous: string;
  announced: Announced[];
}

/** Database of the recorded stacks, written `<database>` in announced names. */
const database = "shop";

/** Reads the announcements of the project's CHANGELOG.md. */
export async function readAnnouncements(): Promise<Announcements> {
  return announcementsIn(await readFile(join(cloneRoot, "CHANGELOG.md"), "utf8"));
}

/**
 * Reads the table "Changed resources" of the section "Unreleased".
 *
 * @throws Error that lists every row that is not in the form described in README.md
 */
export function announcementsIn(changelog: string): Announcements {
  const previous = /^## \[(\d+\.\d+\.\d+)\]/m.exec(changelog)?.[1];
  if (previous === undefined) throw new Error("CHANGELOG.md has no released version (## [0.1.0]).");
  const unreleased = /^## \[Unreleased\]\n(.*?)^## /ms.exec(changelog)?.[1] ?? "";
  const section = /^### Changed resources\n(.*?)(?:^### |$(?![\s\S]))/ms.exec(unreleased)?.[1];
  if (section === undefined) throw new Error('CHANGELOG.md has no "### Changed resources" below "## [Unreleased]".');
  // The first two rows are the table's head.
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2);
  const faults = rows.flatMap((row) => faultsIn(row).map((fault) => `${row}\n  ${fault}`));
  if (faults.length > 0)
    throw new Error(`CHANGELOG.md announces changes in a form that cannot be read:\n${faults.join("\n")}`);
  return { previous, announced: rows.flatMap(announcedBy) };
}

function cellsOf(row: string): string[] {
  return row
    .replace(/^\||\|\s*$/g, "")
    .split("|")
    .map((cell) => cell.trim());
}

function listOf(cell: string | undefined): string[] {
  return (cell ?? "")
    .split(",")
    .map((item) => item.trim().replaceAll("`", ""))
    .filter((item) => item !== "");
}

function faultsIn(row: string): string[] {
  const cells = cellsOf(row);
  const [stacks, type, names, change = "", why] = cells;
  const unknown = listOf(stacks).filter((stack) => !recordedStacks.some((known) => known === stack));
  return [
    ...(cells.length === 5 ? [] : [`it has ${cells.length} cells instead of 5`]),
    ...(listOf(stacks).length === 0 ? ["it names no stack"] : []),
    ...unknown.map((stack) => `"${stack}" is not one of ${recordedStacks.join(", ")}`),
    ...(listOf(type).length === 1 ? [] : ["it does not name one type"]),
    ...(listOf(names).length === 0 ? ["it names no resource"] : []),
    ...(changeKinds.some((kind) => kind === change) ? [] : [`"${change}" is not one of ${changeKinds.join(", ")}`]),
    ...(why === "" ? ["it does not say why"] : []),
  ];
}

function announcedBy(row: string): Announced[] {
  const [stacks, types, names, change] = cellsOf(row);
  const [type = ""] = listOf(types);
  return listOf(stacks).flatMap((stack) =>
    listOf(names).map((name) => ({
      stack,
      type,
      name: name.replaceAll("<database>", database),
      change: change as ChangeKind,
    })),
  );
}
