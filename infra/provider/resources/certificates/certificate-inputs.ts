import { hostFault } from "../../../../scripts/tls/hosts.ts";
import type { CallContext, CheckFailure, PropertyChange } from "../../../provider-protocol/resource-type.ts";
import { isUnknown, type Properties } from "../../../provider-protocol/values.ts";

/** Days in a century. A longer term is probably a mistake. */
const mostDays = 36_500;

/** Finds faults in the term of a certificate and in the time of its renewal. */
export function checkTerm({ validityDays, renewBeforeDays }: Properties): CheckFailure[] {
  const failures: CheckFailure[] = [];
  if (!isUnknown(validityDays) && !isWhole(validityDays, 1, mostDays))
    failures.push({
      property: "validityDays",
      reason: `validityDays must be a whole number from 1 to ${mostDays}, but is ${JSON.stringify(validityDays)}`,
    });
  if (isUnknown(renewBeforeDays) || !isWhole(validityDays, 1, mostDays)) return failures;
  // Otherwise every `up` would create the certificate again, since it would be due from its first day.
  if (!isWhole(renewBeforeDays, 0, validityDays - 1))
    failures.push({
      property: "renewBeforeDays",
      reason: `renewBeforeDays must be a whole number from 0 to ${validityDays - 1}, less than validityDays, but is ${JSON.stringify(renewBeforeDays)}`,
    });
  return failures;
}

/** Finds faults in the host names of a certificate. */
export function checkHosts(hosts: unknown): CheckFailure[] {
  if (!isUnknown(hosts) && (!Array.isArray(hosts) || hosts.length === 0))
    return [{ property: "hosts", reason: "hosts must contain at least one DNS name or IP address" }];
  const known = Array.isArray(hosts) ? hosts.filter((host) => !isUnknown(host)) : [];
  return known.flatMap((host) => {
    const fault = hostFault(host);
    return fault === undefined ? [] : [{ property: "hosts", reason: `hosts: ${fault}` }];
  });
}

/** The change that a diff shows for a renewal if no input has changed. */
export const renewal: PropertyChange = { path: "notAfter", kind: "update", input: false };

/** Logs why a certificate is renewed if no input has changed. */
export async function announceRenewal(context: CallContext, outputs: Properties, preview: boolean): Promise<void> {
  const end = String(outputs.notAfter).slice(0, 10);
  await context.log("info", preview ? `will be renewed: valid until ${end}` : `renewed: was valid until ${end}`);
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}
