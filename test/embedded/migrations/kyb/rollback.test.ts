import { describeRollback } from "../describe-rollback.ts";

describeRollback("kyb");
