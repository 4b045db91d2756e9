import { describePlans } from "../describe-plans.ts";
import { queries } from "./queries.ts";

describePlans("trading", queries);
