import { scramVerifier } from "../../../scripts/connection/scram.ts";
import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { text } from "../property.ts";
import type { Session } from "./session.ts";
import { isStoredForm, matchesStored } from "./stored-password.ts";

/**
 * Sets a password if the server has another one. If the program declares none, the server's stays, as under the
 * official plugin.
 *
 * @param superuser true if the stored form can be read, so that a matching password is not set again
 */
export async function ensurePassword(
  session: Session,
  superuser: boolean,
  wanted: Properties,
  before: Properties | undefined,
): Promise<void> {
  const name = text(wanted, "name");
  const password = text(wanted, "password");
  if (password === "") return;
  if (superuser) {
    const stored = await storedForm(session, name);
    if (stored !== "" && (await matchesStored(password, stored, name))) return;
  } else if (before !== undefined && before.password === password && before.name === name) {
    return;
  }
  const form = isStoredForm(password) ? password : await scramVerifier(password);
  await session.query(`ALTER ROLE ${session.identifier(name)} PASSWORD ${session.literal(form)}`);
}

/**
 * Returns the expected password if the server's is the same or cannot be compared. Returns "" if the server has another
 * one or none, so that the next up sets it. The stored form is never returned, since it must not get into a state.
 */
export async function readPassword(session: Session, superuser: boolean, expected: Properties): Promise<string | null> {
  const password = text(expected, "password");
  if (password === "") return null;
  if (!superuser) return password;
  const name = text(expected, "name");
  const stored = await storedForm(session, name);
  return stored !== "" && (await matchesStored(password, stored, name)) ? password : "";
}

async function storedForm(session: Session, name: string): Promise<string> {
  try {
    const [row] = await session.query<{ stored: string | null }>(
      "SELECT rolpassword AS stored FROM pg_catalog.pg_authid WHERE rolname = $1",
      [name],
    );
    return row?.stored ?? "";
  } catch (error) {
    if (!isPermissionDenied(error)) throw error;
    throw new OperationError(
      `The password of role "${name}" cannot be compared: only a superuser may read stored passwords.`,
      {
        hint: "Set superuser: false in the provider's configuration, or connect as a superuser.",
        cause: error,
      },
    );
  }
}

function isPermissionDenied(error: unknown): boolean {
  return error instanceof OperationError && (error.cause as { code?: string } | undefined)?.code === "42501";
}
