import { hostFault } from "../../scripts/tls/hosts.ts";
import type { CallContext, CheckFailure, PropertyChange } from "../plugin/resource-type.ts";
import { isUnknown, type Properties } from "../plugin/values.ts";

/** Days in a century: beyond, a mistake is likelier than a wish. */
const mostDays = 36_500;

/** Faults of how long a certificate lasts, and of when the next is made. */
export function checkTerm({ validityDays, renewBeforeDays }: Properties): CheckFailure[] {
  const failures: CheckFailure[] = [];
  if (!isUnknown(validityDays) && !isWhole(validityDays, 1, mostDays))
    failures.push({
      property: "validityDays",
      reason: `validityDays has to be a whole number from 1 to ${mostDays}, and is ${JSON.stringify(validityDays)}`,
    });
  if (isUnknown(renewBeforeDays) || !isWhole(validityDays, 1, mostDays)) return failures;
  // A certificate that is due from its first day on would be made anew by every `up`.
  if (!isWhole(renewBeforeDays, 0, validityDays - 1))
    failures.push({
      property: "renewBeforeDays",
      reason: `renewBeforeDays has to be a whole number from 0 to ${validityDays - 1}, less than validityDays, and is ${JSON.stringify(renewBeforeDays)}`,
    });
  return failures;
}

/** Faults of the names that a certificate is made out to. */
export function checkHosts(hosts: unknown): CheckFailure[] {
  if (!isUnknown(hosts) && (!Array.isArray(hosts) || hosts.length === 0))
    return [{ property: "hosts", reason: "hosts has to hold at least one DNS name or IP address" }];
  const known = Array.isArray(hosts) ? hosts.filter((host) => !isUnknown(host)) : [];
  return known.flatMap((host) => {
    const fault = hostFault(host);
    return fault === undefined ? [] : [{ property: "hosts", reason: `hosts: ${fault}` }];
  });
}

/** How a certificate that nobody changed shows that a new one is made. */
export const renewal: PropertyChange = { path: "notAfter", kind: "update", input: false };

/** Says why a certificate that nobody changed is made anew. */
export async function announceRenewal(context: CallContext, outputs: Properties, preview: boolean): Promise<void> {
  const end = String(outputs.notAfter).slice(0, 10);
  await context.log("info", preview ? `is renewed: valid until ${end}` : `renewed: was valid until ${end}`);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}
