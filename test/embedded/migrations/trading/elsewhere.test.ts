import { describeElsewhere } from "../describe-elsewhere.ts";

describeElsewhere("trading", ["ensure_partitions"]);
