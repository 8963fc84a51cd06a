const { describe, it } = globalThis.describe ? globalThis : require("node:test");
require("../suite.js")(describe, it);
