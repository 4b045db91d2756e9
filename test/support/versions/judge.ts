import type { Announced } from "./announced.ts";
import type { Deployment } from "./deployment.ts";
import type { Change } from "./resource-changes.ts";

/** Types that hold data or give access to it. A volume holds data if it has retainOnDelete in the state. */
const dataTypes = ["EmbeddedServer", "Database", "Role", "Password", "BackupPassphrase", "CertificateAuthority"];

/** Types that an update generates again: with a new password, clients that have the old one cannot log in. */
const generatedTypes = ["Password", "BackupPassphrase"];

/**
 * Compares the changes in a preview of a recorded stack with the announced ones.
 *
 * @returns a line for each change that is not announced, each announced one that does not happen, and each that would
 * lose data, announced or not
 */
export function judge(
  stack: string,
  state: Deployment,
  changes: readonly Change[],
  announced: readonly Announced[],
): string[] {
  const expected = new Set(announced.filter((each) => each.stack === stack).map(keyOf));
  const found = new Set(changes.map(keyOf));
  const unannounced = changes.filter((change) => !expected.has(keyOf(change)));
  return [
    ...changes.filter((change) => losesData(change, state)).map((change) => `${describe(change)} would lose data`),
    ...unannounced.map((change) => `${describe(change)} is not announced in CHANGELOG.md`),
    ...[...expected]
      .filter((key) => !found.has(key))
      .map((key) => `${key} is announced in CHANGELOG.md and does not happen`),
  ];
}

function keyOf({ change, type, name }: { change: string; type: string; name: string }): string {
  return `${change} of ${type} ${name}`;
}

function describe(change: Change): string {
  const { properties } = change;
  return `${keyOf(change)}${properties.length > 0 ? ` (${properties.join(", ")})` : ""}`;
}

function losesData({ change, type, name }: Change, state: Deployment): boolean {
  const isOf = (types: readonly string[]) => types.some((each) => type.endsWith(`:${each}`));
  if (change === "update") return isOf(generatedTypes);
  if (change !== "replace" && change !== "delete") return false;
  const last = type.slice(type.lastIndexOf(":"));
  const recorded = state.resources.find(({ urn }) => urn.endsWith(`${last}::${name}`));
  return isOf(dataTypes) || (isOf(["Volume"]) && recorded?.retainOnDelete === true);
}
