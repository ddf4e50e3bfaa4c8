// @vitest-environment happy-dom
import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, expect, it } from "vitest";
import { Catalogue, CatalogueContext } from "~/api/catalogue";
import { Problem } from "~/api/problem";
import type { Schema } from "~/api/types";
import { SchemaFields } from "./SchemaFields";

const catalogue = new Catalogue({ format: "skerry-catalogue/1", kinds: [], schemas: {} });
const schema: Schema = {
  type: "object",
  properties: {
    name: { type: "string", description: "What it is called" },
    many: { type: "integer", minimum: 1 },
    force: { type: "boolean", default: false },
  },
  required: ["name"],
};
let current: Record<string, unknown> = {};

function Form({ error }: { error?: unknown }) {
  const [value, setValue] = useState<Record<string, unknown>>({});
  current = value;
  return (
    <MantineProvider>
      <CatalogueContext value={catalogue}>
        <SchemaFields schema={schema} value={value} change={setValue} error={error} />
      </CatalogueContext>
    </MantineProvider>
  );
}

afterEach(cleanup);

it("makes a body of what is typed, and leaves out what is empty", async () => {
  const user = userEvent.setup();
  render(<Form />);
  await user.type(screen.getByLabelText(/Name/), "anna");
  await user.type(screen.getByLabelText(/Many/), "3");
  await user.click(screen.getByLabelText(/Force/));
  expect(current).toEqual({ name: "anna", many: 3, force: true });
  await user.clear(screen.getByLabelText(/Name/));
  expect(current).toEqual({ many: 3, force: true });
});

it("says the server's objection at its field", () => {
  const sources = [{ pointer: "/name" }];
  render(
    <Form error={new Problem({ status: 422, title: "No", detail: "name is taken", sources })} />,
  );
  expect(screen.getByText("name is taken")).toBeTruthy();
});
