import { describePoints } from "./describe-points.ts";

describePoints(false);
