import { OperationError } from "../../../scripts/core/operation-error.ts";
import type { Properties } from "../../provider-protocol/values.ts";
import { objects, type PropertyTable, text } from "../property.ts";

/** Fields of an entry in `labels`. */
export const labelFields: PropertyTable = {
  label: { kind: "string", required: true },
  value: { kind: "string" },
};

type Labels = Readonly<Record<string, string>>;

/** Labels that identify an object's owner. They allow a run to adopt what an interrupted run left. */
const projectLabel = "pgroundwork.project";
const owner = [projectLabel, "pgroundwork.stack", "pgroundwork.owner"];

/** Returns labels as Docker accepts them. */
export function labelsOf(values: Properties): Record<string, string> {
  return Object.fromEntries(objects(values, "labels").map((entry) => [text(entry, "label"), text(entry, "value")]));
}

/** Returns labels as outputs contain them. */
export function labelEntries(labels: Labels | null | undefined): Properties[] {
  return Object.entries(labels ?? {})
    .map(([label, value]) => ({ label, value }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
}

/**
 * Returns true if an existing object has the same owner labels as the wanted one. Without such labels, an object has no
 * owner.
 */
export function isOfSameStack(wanted: Properties, there: Labels | null | undefined): boolean {
  const labels = labelsOf(wanted);
  // A label that both lack counts as equal. Only the project's label must exist.
  return owner.every((label) => labels[label] === there?.[label]) && labels[projectLabel] !== undefined;
}

/**
 * Returns the error for a name that an object of another owner uses.
 *
 * @param thing as in `Container "web"`
 */
export function nameTaken(thing: string, where: string, there: Labels | null | undefined): OperationError {
  const [project, stack] = owner.map((label) => there?.[label]);
  const origin =
    project === undefined || stack === undefined
      ? "This stack did not create it."
      : `It belongs to stack "${stack}" of project "${project}", and this stack did not create it.`;
  return new OperationError(`${thing} already exists on the Docker engine of ${where}. ${origin}`, {
    hint: "Remove the existing one, use another name, or import it into the stack.",
  });
}
