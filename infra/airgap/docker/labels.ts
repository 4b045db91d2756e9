import { OperationError } from "../../../scripts/errors/operation-error.ts";
import type { Properties } from "../../plugin/values.ts";
import { objects, type PropertyTable, text } from "../property.ts";

/** What an entry of `labels` holds. */
export const labelFields: PropertyTable = {
  label: { kind: "string", required: true },
  value: { kind: "string" },
};

type Labels = Readonly<Record<string, string>>;

/** The labels that tell whose a thing is: one that an interrupted run left is taken back by them. */
const projectLabel = "pgroundwork.project";
const owner = [projectLabel, "pgroundwork.stack", "pgroundwork.owner"];

/** As Docker takes them. */
export function labelsOf(values: Properties): Record<string, string> {
  return Object.fromEntries(objects(values, "labels").map((entry) => [text(entry, "label"), text(entry, "value")]));
}

/** As outputs have them. */
export function labelEntries(labels: Labels | null | undefined): Properties[] {
  return Object.entries(labels ?? {})
    .map(([label, value]) => ({ label, value }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
}

/** Whether what is there carries the owner's labels that the wanted one carries. Without such labels nothing is anyone's. */
export function isOfSameStack(wanted: Properties, there: Labels | null | undefined): boolean {
  const labels = labelsOf(wanted);
  // The last is absent where a stack has its name to itself.
  return owner.every((label) => labels[label] === there?.[label]) && labels[projectLabel] !== undefined;
}

/** @param thing as in `Container "web"` */
export function nameTaken(thing: string, where: string, there: Labels | null | undefined): OperationError {
  const [project, stack] = owner.map((label) => there?.[label]);
  const whose = project === undefined || stack === undefined ? "" : `, and is of the stack ${stack} of ${project}`;
  return new OperationError(
    `${thing} is there already on the Docker engine of ${where}${whose}: it was not made by this stack.`,
    {
      remedy: "Remove it or give it another name, or import it into the stack.",
    },
  );
}
