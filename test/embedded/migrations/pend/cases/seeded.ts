import { md5Uuid, numbered } from "../../table-cases.ts";

const person = (n: number) => numbered("21000000", n);

/** Ids of seeded rows. The test creates those that begin with `new` before its cases. */
export const seeded = {
  admin: numbered("20000000", 1),
  compliance: numbered("20000000", 2),
  finance: numbered("20000000", 3),
  /** KYC level 3, tier premium. */
  alice: person(1),
  /** KYC level 2, tier plus. */
  bob: person(2),
  /** KYC level 1, tier verified. */
  carol: person(3),
  /** KYC level 0, tier basic, with a draft of an application for level 1. */
  dave: person(4),
  /** Suspended. */
  eve: person(5),
  newUser: numbered("29000000", 1),
  otherNewUser: numbered("29000000", 2),
  /** Alice's application for level 3. */
  approvedApplication: numbered("22000000", 3),
  /** Carol's application for level 2, in review, with two documents that are not reviewed yet. */
  application: numbered("22000000", 7),
  draft: numbered("22000000", 8),
  /** Open; a unit costs 10, investments from 100 to 25,000. */
  asset: numbered("23000000", 1),
  /** A running pool that accepts more investments. */
  activePool: numbered("23000000", 3),
  /** An open pool. */
  pool: numbered("23000000", 4),
  /** A draft without investments. */
  draftAsset: numbered("23000000", 8),
  /** Alice's active investment in the asset. */
  investment: numbered("24000000", 1),
  /** Carol's investment, not paid yet. */
  pendingInvestment: numbered("24000000", 8),
  deposit: md5Uuid("dev:transaction:deposit:1"),
  /** Bob's withdrawal. */
  pendingWithdrawal: md5Uuid("dev:transaction:deposit:7"),
};
