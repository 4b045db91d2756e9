import { md5Uuid, missingId, numbered } from "../../table-cases.ts";

/** Ids of seeded rows. The test creates those that begin with `new` before its cases. */
export const seeded = {
  missing: missingId,
  admin: numbered("20000000", 1),
  trader: numbered("20000000", 2),
  client: numbered("20000000", 4),
  newUser: numbered("29000000", 9),
  riskRole: numbered("10000000", 3),
  supportRole: numbered("10000000", 5),
  viewerRole: numbered("10000000", 6),
  /** Permissions user.manage and account.manage, which no viewer has. */
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
