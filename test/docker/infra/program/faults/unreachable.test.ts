import { describeUnreachable } from "./describe-unreachable.ts";

describeUnreachable(false);
