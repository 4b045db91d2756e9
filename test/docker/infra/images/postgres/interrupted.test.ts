import { describeInterruptedInitialisation } from "../../../describe-interrupted-initialisation.ts";

describeInterruptedInitialisation(false);
