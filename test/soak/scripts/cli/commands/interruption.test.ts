import { describeInterruption } from "../../../../embedded/scripts/cli/commands/describe-interruption.ts";

describeInterruption(true);
