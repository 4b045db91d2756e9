import { describeElsewhere } from "../describe-elsewhere.ts";

describeElsewhere("kyb", ["refresh_analytics", "integrity_findings"]);
