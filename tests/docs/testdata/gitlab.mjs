// Compares a GitLab pipeline, read from standard input as YAML, with the JSON schema of GitLab's that a module exports:
// node gitlab.mjs MODULE.
import fs from "node:fs";
import Ajv from "ajv";
import yaml from "js-yaml";

const { schema } = await import(process.argv[2]);
const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
if (!validate(yaml.load(fs.readFileSync(0, "utf8")))) {
  for (const e of validate.errors) console.log(e.instancePath, e.message, JSON.stringify(e.params));
  process.exit(1);
}
