/** Says when what is shown may be old, and when it is live again. */
import { Group, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useFeedState } from "~/api/live";
import { Icon } from "~/parts/Icon";
import classes from "./Banner.module.css";

export function Banner() {
  const state = useFeedState();
  const [said, setSaid] = useState<"" | "lost" | "healed">("");
  const was = useRef("");
  useEffect(() => {
    // A blink is not worth a word.
    const before = was.current;
    if (state === "lost") {
      const timer = setTimeout(() => {
        was.current = "lost";
        setSaid("lost");
      }, 1200);
      return () => clearTimeout(timer);
    }
    if (state === "live" && before === "lost") {
      was.current = "";
      setSaid("healed");
      const timer = setTimeout(() => setSaid(""), 4000);
      return () => clearTimeout(timer);
    }
    return undefined;
  }, [state]);
  return (
    <div role="status" aria-live="polite">
      {said ? (
        <Group gap="xs" className={classes.banner} data-said={said} wrap="nowrap">
          <Icon name={said === "lost" ? "warn" : "check"} />
          <Text size="sm">
            {said === "lost"
              ? "Connection lost. What you see may be old; it is tried again by itself."
              : "Connected again. What you see is live."}
          </Text>
        </Group>
      ) : null}
    </div>
  );
}
