import { describeInterruption } from "./describe-interruption.ts";

describeInterruption(false);
