/** Everything by a few letters: pages, kinds, resources, commands. */
import { Group, Modal, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useId, useState } from "react";
import { useNavigate } from "react-router";
import { Icon } from "~/parts/Icon";
import classes from "./Palette.module.css";
import { type Found, useFound } from "./seeking";

export default function Palette({ close }: { close: () => void }) {
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text.trim(), 180);
  const [index, setIndex] = useState(0);
  const found = useFound(text.trim(), asked);
  const go = useNavigate();
  const id = useId();
  const chosen = Math.min(index, found.length - 1);
  const open = (item: Found | undefined): void => {
    if (!item) return;
    close();
    void go(item.to);
  };
  const keys = (event: React.KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setIndex(Math.max(0, Math.min(found.length - 1, chosen + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(found[chosen]);
    }
  };
  return (
    <Modal
      opened
      onClose={close}
      withCloseButton={false}
      padding={0}
      size="lg"
      yOffset="10vh"
      attributes={{ content: { "aria-label": "Search" } }}
    >
      <TextInput
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setIndex(0);
        }}
        onKeyDown={keys}
        placeholder="A page, a kind, a name …"
        aria-label="Search pages, kinds and resources"
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined}
        leftSection={<Icon name="search" />}
        size="md"
        variant="unstyled"
        className={classes.input}
        data-autofocus
      />
      <div id={`${id}-list`} role="listbox" aria-label="Found" className={classes.list}>
        {found.map((item, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the input's, which has the focus
          <div
            key={item.key}
            id={`${id}-${at}`}
            role="option"
            tabIndex={-1}
            aria-selected={at === chosen}
            className={classes.option}
            onClick={() => open(item)}
            onMouseMove={() => setIndex(at)}
            ref={at === chosen ? (node) => node?.scrollIntoView({ block: "nearest" }) : undefined}
          >
            <Group gap="sm" wrap="nowrap">
              <Icon name={item.icon} size={16} />
              <Text size="sm" truncate flex={1}>
                {item.label}
              </Text>
              <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>
                {item.note}
              </Text>
            </Group>
          </div>
        ))}
      </div>
      {found.length === 0 ? (
        <Text size="sm" c="dimmed" p="md" role="status">
          Nothing here has “{text.trim()}” in its name.
        </Text>
      ) : null}
    </Modal>
  );
}
