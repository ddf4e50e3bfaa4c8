/** The resource as the API shows it. */
import { Group, SegmentedControl, Stack } from "@mantine/core";
import { useState } from "react";
import { stringify } from "yaml";
import { toJson } from "~/api/json";
import { Copy } from "~/parts/Copy";
import type { TabProps } from "~/shell/areas";
import classes from "./Text.module.css";

export default function DocumentTab({ resource }: TabProps) {
  const [form, setForm] = useState("yaml");
  const text = form === "yaml" ? stringify(resource) : toJson(resource, 2);
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <SegmentedControl
          size="xs"
          value={form}
          onChange={setForm}
          aria-label="Form"
          data={[
            { value: "yaml", label: "YAML" },
            { value: "json", label: "JSON" },
          ]}
        />
        <Copy text={text} what="the document" />
      </Group>
      <pre className={classes.text} tabIndex={0}>
        {text}
      </pre>
    </Stack>
  );
}
