// Writes the console's types from the API's description: every schema it names, and what the
// operations answer that no kind declares (`usage` becomes `UsageAnswer`). Paths are left out: the
// console makes them from the catalogue, and they would be nine tenths of the file.
//
//   node generate.mjs OPENAPI.json OUTPUT.d.ts
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const HEAD = `// Written by tools/tsgen from src/skerry/api/openapi.json: \`make generate\`, never by hand.
`;

function answers(paths) {
  const found = {};
  for (const operations of Object.values(paths)) {
    for (const { operationId, responses } of Object.values(operations)) {
      for (const [status, { content }] of Object.entries(responses ?? {})) {
        const schema = content?.["application/json"]?.schema;
        if (!status.startsWith("2") || !schema?.properties || ofKind(schema)) continue;
        const words = operationId.split("_").map((word) => word[0].toUpperCase() + word.slice(1));
        found[`${words.join("")}Answer`] = schema;
      }
    }
  }
  return found;
}

/** Whether it is a page of a kind's resources, which is the same for all of them. */
function ofKind(schema) {
  return schema.properties.items?.items?.$ref !== undefined;
}

const [from, to] = process.argv.slice(2);
const { info, openapi, paths, components } = JSON.parse(readFileSync(from, "utf8"));
const schemas = { ...components.schemas, ...answers(paths) };
const tree = await openapiTS(
  { openapi, info, paths: {}, components: { schemas } },
  // The API leaves out what is at its default, so a field with one may be missing.
  { defaultNonNullable: false, rootTypes: true, rootTypesNoSchemaPrefix: true },
);
writeFileSync(to, HEAD + astToString(tree));
