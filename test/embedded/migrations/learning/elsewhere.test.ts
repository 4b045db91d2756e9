import { describeElsewhere } from "../describe-elsewhere.ts";

describeElsewhere("learning", ["refresh_analytics", "integrity_findings"]);
