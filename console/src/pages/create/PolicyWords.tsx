/** A policy as a sentence, while it is written. */
import { Text, Title } from "@mantine/core";
import type { Spec } from "~/forms/values";
import { type PolicySpec, policyInWords } from "~/market/policy";

export function PolicyWords({ spec }: { spec: Spec }) {
  return (
    <section
      className="surface"
      style={{ padding: "var(--mantine-spacing-md)" }}
      aria-label="In words"
      aria-live="polite"
    >
      <Title order={2} size="h4" mb="xs">
        In words
      </Title>
      <Text size="sm">{policyInWords(spec as PolicySpec)}.</Text>
    </section>
  );
}
