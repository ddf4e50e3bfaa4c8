/** xterm.js on a channel. */
import { Text } from "@mantine/core";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Xterm } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { useEffect, useRef, useState } from "react";
import type { Problem } from "~/api/problem";
import { ProblemAlert } from "~/parts/ProblemAlert";
import { Channel } from "./channel";
import classes from "./Terminal.module.css";

interface Props {
  path: string;
  wanted: Record<string, unknown>;
}

const INK = { background: "#0f171c", foreground: "#dfe7ea", cursor: "#5bb8d4" };

export default function Terminal({ path, wanted }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const first = useRef({ path, wanted });
  const [state, setState] = useState("Opening …");
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    if (!place.current) return;
    const term = new Xterm({ cursorBlink: true, fontSize: 13, theme: INK, scrollback: 5000 });
    const fit = new FitAddon();
    term.loadAddon(fit);
    term.open(place.current);
    fit.fit();
    const channel = new Channel(first.current.path, {
      opened: () => {
        setState("Open.");
        term.focus();
      },
      data: (bytes) => term.write(bytes),
      ended: (code, why) => {
        setProblem(why);
        setState(code === undefined ? "Closed." : `It ended with exit code ${code}.`);
        term.options.disableStdin = true;
        term.options.cursorBlink = false;
      },
    });
    term.onData((text) => channel.send(text));
    term.onResize(({ cols, rows }) => channel.resize(cols, rows));
    const watcher = new ResizeObserver(() => fit.fit());
    watcher.observe(place.current);
    void channel.open({ ...first.current.wanted, columns: term.cols, rows: term.rows });
    return () => {
      watcher.disconnect();
      channel.close();
      term.dispose();
    };
  }, []);
  return (
    <>
      {problem ? <ProblemAlert error={problem} /> : null}
      <div className={classes.terminal} ref={place} />
      <Text size="xs" c="dimmed" role="status">
        {state}
      </Text>
    </>
  );
}
