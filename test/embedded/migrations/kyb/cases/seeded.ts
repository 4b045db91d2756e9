import { md5Uuid, numbered } from "../../table-cases.ts";

/** Ids of seeded rows. */
export const seeded = {
  admin: numbered("20000000", 1),
  officer: numbered("20000000", 2),
  analyst: numbered("20000000", 3),
  test: numbered("20000000", 4),
  /** Was invited and has never logged in. */
  newcomer: numbered("20000000", 5),
  auditor: numbered("10000000", 4),
  integrator: numbered("10000000", 5),
  user: numbered("10000000", 6),
  /** Active, compliant, of low risk. */
  coffee: md5Uuid("business:northwind-coffee"),
  /** Waits for two checks. */
  studio: md5Uuid("business:bright-pixel"),
  /** Waits for a review of its check `pep`. */
  jewelers: md5Uuid("business:golden-gate-jewelers"),
  /** A draft without any other data. */
  draft: md5Uuid("business:fenwick-and-sons"),
  /** Active; its check `registry` has expired. */
  charity: md5Uuid("business:nova-relief"),
  adminKey: numbered("23000000", 1),
  analystKey: numbered("23000000", 2),
  expiredKey: numbered("23000000", 4),
  revokedKey: numbered("23000000", 5),
  webhook: numbered("24000000", 1),
  /** One of eight attempts made. */
  pendingEvent: md5Uuid("webhook_event:4"),
};

export const permission = (name: string) => md5Uuid(`permission:${name}`);

export const check = (business: string, type: string) => md5Uuid(`check:${business}:${type}`);

/** Two businesses without any other data, see constraints.test.ts. */
export const unknown = [md5Uuid("business:unknown-1"), md5Uuid("business:unknown-2")] as const;
