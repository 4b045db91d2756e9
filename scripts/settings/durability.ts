/** A setting of postgresql.conf with which the server can lose or damage committed data. */
export interface DurabilityRisk {
  name: string;
  value: string;
  /** Possible loss, as a clause. */
  consequence: string;
}

/** Settings that give up durability, with the values that do and the consequence. */
const risks: Readonly<Record<string, { isRisky: (value: string) => boolean; consequence: string }>> = {
  fsync: { isRisky: isOff, consequence: "a crash of the machine can corrupt every database" },
  full_page_writes: { isRisky: isOff, consequence: "a crash of the machine can corrupt pages of any table" },
  synchronous_commit: { isRisky: isOff, consequence: "a crash loses transactions that were reported as committed" },
  data_sync_retry: { isRisky: isOn, consequence: "after a failed write to the disk, committed rows can be lost" },
  zero_damaged_pages: { isRisky: isOn, consequence: "the rows of a damaged page are deleted without an error" },
  ignore_checksum_failure: { isRisky: isOn, consequence: "damaged pages are read as if they were intact" },
  ignore_invalid_pages: { isRisky: isOn, consequence: "crash recovery continues without pages that are missing" },
  wal_level: {
    isRisky: (value) => value.toLowerCase() === "minimal",
    consequence: "the running server cannot be backed up, archived or replicated",
  },
};

/** Returns the settings of a server that give up durability. */
export function durabilityRisks(settings: Readonly<Record<string, string>>): DurabilityRisk[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const risk = Object.hasOwn(risks, name) ? risks[name] : undefined;
    return risk?.isRisky(value) === true ? [{ name, value, consequence: risk.consequence }] : [];
  });
}

/** Returns true for PostgreSQL's words for false, which may be abbreviated (`parse_bool` in bool.c). */
function isOff(value: string): boolean {
  return /^(0|f|fa|fal|fals|false|n|no|of|off)$/i.test(value);
}

/** Returns true for PostgreSQL's words for true, which may be abbreviated. */
function isOn(value: string): boolean {
  return /^(1|t|tr|tru|true|y|ye|yes|on)$/i.test(value);
}
