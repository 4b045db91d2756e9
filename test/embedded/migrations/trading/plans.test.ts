import { describePlans } from "../describe-plans.ts";
import { indexQueries } from "./index-queries.ts";
import { queries } from "./queries.ts";

describePlans("trading", queries, indexQueries);
