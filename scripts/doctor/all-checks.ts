import type { Check } from "./check.ts";
import { archiveFailing } from "./checks/archive-failing.ts";
import { bloatedIndex } from "./checks/bloated-index.ts";
import { blockedSession } from "./checks/blocked-session.ts";
import { cacheMisses } from "./checks/cache-misses.ts";
import { checksumsOff } from "./checks/checksums-off.ts";
import { collationVersion } from "./checks/collation-version.ts";
import { disabledTrigger } from "./checks/disabled-trigger.ts";
import { duplicateIndex } from "./checks/duplicate-index.ts";
import { excessiveRoleRights } from "./checks/excessive-role-rights.ts";
import { exhaustedNumber } from "./checks/exhausted-number.ts";
import { freezeAge } from "./checks/freeze-age.ts";
import { idleTransaction } from "./checks/idle-transaction.ts";
import { inactivePolicy } from "./checks/inactive-policy.ts";
import { invalidIndex } from "./checks/invalid-index.ts";
import { longTransaction } from "./checks/long-transaction.ts";
import { memorySetting } from "./checks/memory-setting.ts";
import { missingIndex } from "./checks/missing-index.ts";
import { missingStatistics } from "./checks/missing-statistics.ts";
import { orphanedLargeObject } from "./checks/orphaned-large-object.ts";
import { outdatedExtension } from "./checks/outdated-extension.ts";
import { preparedTransaction } from "./checks/prepared-transaction.ts";
import { publicGrant } from "./checks/public-grant.ts";
import { requestedCheckpoints } from "./checks/requested-checkpoints.ts";
import { retainedWal } from "./checks/retained-wal.ts";
import { slowStatement } from "./checks/slow-statement.ts";
import { slowerStatement } from "./checks/slower-statement.ts";
import { tableWithoutKey } from "./checks/table-without-key.ts";
import { temporaryFiles } from "./checks/temporary-files.ts";
import { unindexedForeignKey } from "./checks/unindexed-foreign-key.ts";
import { unloggedTable } from "./checks/unlogged-table.ts";
import { unsafeSetting } from "./checks/unsafe-setting.ts";
import { unusedIndex } from "./checks/unused-index.ts";
import { unvalidatedConstraint } from "./checks/unvalidated-constraint.ts";
import { vacuumBehind } from "./checks/vacuum-behind.ts";

/** All checks, in the order in which they run. */
export const checks: readonly Check[] = [
  invalidIndex,
  duplicateIndex,
  unusedIndex,
  bloatedIndex,
  missingIndex,
  unindexedForeignKey,
  tableWithoutKey,
  exhaustedNumber,
  unvalidatedConstraint,
  disabledTrigger,
  inactivePolicy,
  unloggedTable,
  orphanedLargeObject,
  missingStatistics,
  freezeAge,
  vacuumBehind,
  longTransaction,
  idleTransaction,
  blockedSession,
  preparedTransaction,
  retainedWal,
  archiveFailing,
  requestedCheckpoints,
  temporaryFiles,
  cacheMisses,
  slowStatement,
  slowerStatement,
  excessiveRoleRights,
  publicGrant,
  outdatedExtension,
  collationVersion,
  unsafeSetting,
  memorySetting,
  checksumsOff,
];
