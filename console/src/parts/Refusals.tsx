/** Who was refused and why: counted by reason, then the nearest by name, each with all it lacks. */
import { Button, List, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { type Decision, placeInWords, refusals, withCountries } from "~/market/decision";
import { money } from "./formats";

const FIRST = 3;

interface Props {
  decision: Decision;
  /** What their prices are in, where that is known. */
  currency?: string;
}

export function Refusals({ decision, currency = "" }: Props) {
  const [all, setAll] = useState(false);
  const near = decision.nearest ?? [];
  const shown = all ? near : near.slice(0, FIRST);
  return (
    <Stack gap={6}>
      <List size="sm" spacing={2}>
        {refusals(decision.refused).map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
      </List>
      {shown.map(({ offer, place, perHour, failures = [] }) => (
        <div key={offer}>
          <Text size="sm" fw={560}>
            {place ? placeInWords(place) : offer}
            {perHour ? (
              <Text span size="sm" c="dimmed" fw={400}>
                {" "}
                {money(perHour, currency)} an hour
              </Text>
            ) : null}
          </Text>
          {failures.map(({ reason, words }) => (
            <Text key={reason} size="xs" c="dimmed">
              {sentence(withCountries(words))}
            </Text>
          ))}
        </div>
      ))}
      {near.length > FIRST ? (
        <Button variant="subtle" size="compact-xs" w="fit-content" onClick={() => setAll(!all)}>
          {all ? "Fewer" : `The ${near.length} nearest`}
        </Button>
      ) : null}
    </Stack>
  );
}

/** `only in France` as a sentence. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
