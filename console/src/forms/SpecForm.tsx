/** A form by sections: what most need is there, the rest one click away. */
import { Collapse, Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { Icon } from "~/parts/Icon";
import type { Problems } from "./checks";
import { anyProblem } from "./Field";
import { Fields } from "./GroupField";
import type { Draft, GroupNode } from "./node";
import classes from "./SpecForm.module.css";
import { type Section, sectionsOf } from "./sections";

interface Props {
  form: GroupNode;
  draft: Draft;
  change: (draft: Draft) => void;
  problems: Problems;
  /** Whether the resource is there already. */
  fixed?: boolean;
  touch?: (at: string) => void;
  /** The pointer of the group that it is, if it is not the whole spec. */
  at?: string;
}

const ignore = (): void => undefined;

export function SpecForm({ form, touch = ignore, fixed = false, at = "", ...rest }: Props) {
  const sections = sectionsOf(form);
  if (sections.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        There is nothing to fill in.
      </Text>
    );
  }
  return (
    <Stack gap="md">
      {sections.map((section) => (
        <OneSection
          key={section.id}
          section={section}
          {...rest}
          touch={touch}
          fixed={fixed}
          at={at}
        />
      ))}
    </Stack>
  );
}

type SectionProps = Required<Omit<Props, "form">> & { section: Section };

function OneSection({ section, ...rest }: SectionProps) {
  const [asked, setAsked] = useState(false);
  const wrong = section.advanced.some(
    (node) => anyProblem(rest.problems, `${rest.at}/${node.name}`) !== undefined,
  );
  const opened = asked || wrong || section.basic.length === 0;
  const count = section.advanced.length;
  return (
    <section
      className={rest.at === "" ? `surface ${classes.section}` : undefined}
      aria-label={section.title}
    >
      <Title order={rest.at === "" ? 2 : 3} size={rest.at === "" ? "h4" : "h5"} mb="sm">
        {section.title}
      </Title>
      <Stack gap="sm">
        {section.basic.length > 0 ? <Fields {...rest} nodes={section.basic} /> : null}
        {count > 0 && section.basic.length > 0 ? (
          <UnstyledButton
            className={classes.more}
            aria-expanded={opened}
            onClick={() => setAsked(!opened)}
          >
            <Icon name={opened ? "up" : "down"} size={14} />
            {opened
              ? "Less"
              : `More: ${section.advanced.map((node) => node.label.toLowerCase()).join(", ")}`}
          </UnstyledButton>
        ) : null}
        {count > 0 ? (
          <Collapse expanded={opened}>
            {opened ? <Fields {...rest} nodes={section.advanced} /> : null}
          </Collapse>
        ) : null}
      </Stack>
    </section>
  );
}
