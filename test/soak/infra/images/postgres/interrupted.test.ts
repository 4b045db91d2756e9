import { describeInterruptedInitialisation } from "../../../../docker/describe-interrupted-initialisation.ts";

describeInterruptedInitialisation(true);
