// What the test files share, for any runner with describe and it.
const { Client } = require("pg");
const assert = require("assert");

module.exports = (describe, it) =>
  describe("items", () => {
    for (let n = 0; n < 5; n++) {
      it(`counts its own rows ${n}`, async () => {
        const client = new Client({ connectionString: process.env.DATABASE_URL });
        await client.connect();
        try {
          await client.query("TRUNCATE item RESTART IDENTITY");
          for (const name of ["a", "b", "c"]) {
            await client.query("INSERT INTO item (name) VALUES ($1)", [name]);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          const { rows } = await client.query("SELECT count(*)::int AS count, max(id) AS last FROM item");
          assert.deepStrictEqual(rows, [{ count: 3, last: 3 }]);
          if (n === 0) {
            console.log("database", (await client.query("SELECT current_database()")).rows[0].current_database);
          }
        } finally {
          await client.end();
        }
      });
    }
  });
