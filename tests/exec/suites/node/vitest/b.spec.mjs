import { describe, it } from "vitest";
import suite from "../suite.js";

suite(describe, it);
