import { describeUnreachable } from "../../../../docker/infra/program/faults/describe-unreachable.ts";

describeUnreachable(true);
