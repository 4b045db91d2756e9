import { createHash } from "node:crypto";

export type Row = Record<string, unknown>;

/** What a table takes and what it refuses. Rows refer to what the reference and dev seeds put in. */
export interface TableCases {
  table: string;
  /** A row that is accepted; rows 1 and 2 differ in every unique key. */
  row: (n: number) => Row;
  /** For each check the change to the row that breaks it, and it alone. */
  rejects: Record<string, Row>;
  /** For a foreign key whose column may not be set by itself, what else to set. */
  referring?: Record<string, Row>;
  /** For a unique key that the row leaves null, what to set in both rows. */
  duplicating?: Record<string, Row>;
  /** For each exclusion constraint the change to row 2 that makes it overlap row 1. */
  overlapping?: Record<string, Row>;
}

/** Hour `n` of 2030 in UTC: a time that no seed uses. */
export const at = (n: number) => new Date(Date.UTC(2030, 0, 1, n)).toISOString();

export const letter = (n: number) => String.fromCharCode(96 + n);

/** 64 hexadecimal digits, as a token's hash has. */
export const sha256 = (n: number) => String(n).repeat(64);

export const bcrypt = `$2b$10$${"a".repeat(53)}`;

const numbered = (prefix: string, n: number) => `${prefix}-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** The seeds' ids of rows that are known by name. */
function md5Uuid(name: string): string {
  const digits = createHash("md5").update(name).digest("hex");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Ids of seeded rows; those that begin with `new` are made by the test before its cases. */
export const seeded = {
  missing: "ffffffff-ffff-4fff-8fff-ffffffffffff",
  admin: numbered("20000000", 1),
  trader: numbered("20000000", 2),
  client: numbered("20000000", 4),
  newUser: numbered("29000000", 9),
  riskRole: numbered("10000000", 3),
  supportRole: numbered("10000000", 5),
  viewerRole: numbered("10000000", 6),
  /** user.manage and account.manage, which no viewer has. */
  permission: md5Uuid("permission:user:manage"),
  otherPermission: md5Uuid("permission:account:manage"),
  account: numbered("30000000", 1),
  otherAccount: numbered("30000000", 3),
  position: numbered("60000000", 1),
  provider: numbered("40000000", 2),
  newProvider: numbered("49000000", 1),
  riskLimit: numbered("51000000", 1),
  breaker: numbered("52000000", 1),
  scenario: numbered("50000000", 1),
  otherScenario: numbered("50000000", 2),
  /** Sells GBPUSD. */
  workingOrder: numbered("61000000", 3),
  newFill: numbered("62900000", 1),
  otherNewFill: numbered("62900000", 2),
  newInstrument: numbered("29000000", 1),
  instrument: md5Uuid("instrument:AUDUSD"),
  otherInstrument: md5Uuid("instrument:USDCAD"),
  workingInstrument: md5Uuid("instrument:GBPUSD"),
};
