import { describeRollback } from "../describe-rollback.ts";

describeRollback("pend");
