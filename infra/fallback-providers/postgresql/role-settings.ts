import type { Properties } from "../../provider-protocol/values.ts";
import { count, sameValue, strings, text } from "../property.ts";
import type { Session } from "./session.ts";

/** Parses a role's session settings (`pg_roles.rolconfig`) that are inputs. Other settings are ignored. */
export function readSettings(settings: readonly string[]): Properties {
  const values = new Map(
    settings.map((setting) => [setting.split("=", 1)[0], setting.slice(setting.indexOf("=") + 1)]),
  );
  return {
    searchPaths: identifierList(values.get("search_path") ?? ""),
    assumeRole: values.get("role") ?? "",
    statementTimeout: milliseconds(values.get("statement_timeout")),
    idleInTransactionSessionTimeout: milliseconds(values.get("idle_in_transaction_session_timeout")),
  };
}

/** Sets and resets the settings that differ. */
export async function alterSettings(
  session: Session,
  name: string,
  current: Properties,
  wanted: Properties,
): Promise<void> {
  const role = session.identifier(name);
  const set = async (parameter: string, value: string) =>
    session.query(`ALTER ROLE ${role} ${value === "" ? `RESET ${parameter}` : `SET ${parameter} TO ${value}`}`);
  const searchPaths = strings(wanted, "searchPaths");
  if (!sameValue({ kind: "list" }, current.searchPaths, searchPaths)) {
    await set("search_path", searchPaths.map((path) => session.identifier(path)).join(", "));
  }
  for (const [key, parameter] of [
    ["statementTimeout", "statement_timeout"],
    ["idleInTransactionSessionTimeout", "idle_in_transaction_session_timeout"],
  ] as const) {
    const timeout = count(wanted, key);
    if (count(current, key) !== timeout) await set(parameter, timeout === 0 ? "" : String(timeout));
  }
  const assumed = text(wanted, "assumeRole");
  if (text(current, "assumeRole") !== assumed) await set("role", assumed === "" ? "" : session.identifier(assumed));
}

/** Parses a list of identifiers: `"$user", public, "a, b"` -> its three names. */
function identifierList(value: string): string[] {
  return [...value.matchAll(/"((?:[^"]|"")*)"|([^,\s]+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
  );
}

const unitMillis: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Parses a timeout into ms. One set by hand may have a unit: PostgreSQL stores it as typed. */
function milliseconds(value: string | undefined): number {
  const [, number, unit] = /^\s*([\d.]+)\s*([a-z]*)\s*$/.exec(value ?? "") ?? [];
  return number === undefined ? 0 : Math.round(Number(number) * (unitMillis[unit || "ms"] ?? 1));
}
