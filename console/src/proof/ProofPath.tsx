/** The way from a change up to the root that the operator signed, drawn. */
import { Collapse, Stack, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Icon } from "~/parts/Icon";
import classes from "./ProofPath.module.css";
import type { Proven } from "./statement";

const WIDTH = 44;
const RISE = 26;
const TOP = 14;

export function ProofPath({ proven }: { proven: Proven }) {
  const [opened, { toggle }] = useDisclosure(false);
  const { steps, leafHash } = proven;
  const height = TOP * 2 + steps.length * RISE;
  return (
    <Stack gap="xs">
      <div className={classes.path}>
        <Drawing proven={proven} height={height} />
        <ol className={classes.words} reversed>
          <li style={{ height: RISE }}>
            <b>Root</b> over {proven.size.toLocaleString("en")} changes, signed by {proven.origin}
          </li>
          {steps.length > 1 ? (
            <li style={{ height: RISE * (steps.length - 1) }} className={classes.between}>
              {steps.length} hashes of neighbours lead up to it
            </li>
          ) : null}
          <li style={{ height: RISE }}>
            <b>This change</b>, number {proven.statement.position.toLocaleString("en")}
          </li>
        </ol>
      </div>
      <UnstyledButton onClick={toggle} aria-expanded={opened} className={classes.more}>
        <Text size="xs" c="dimmed">
          The hashes <Icon name={opened ? "up" : "down"} size={12} />
        </Text>
      </UnstyledButton>
      <Collapse expanded={opened}>
        <ol className={classes.hashes} tabIndex={0} aria-label="Hashes from the change to the root">
          <li>
            change <code>{leafHash}</code>
          </li>
          {steps.map((step) => (
            <li key={step.made}>
              with its {step.side} neighbour <code>{step.hash}</code> makes <code>{step.made}</code>
            </li>
          ))}
        </ol>
      </Collapse>
    </Stack>
  );
}

/** Ours are filled, neighbours are empty; the root is at the top. */
function Drawing({ proven: { steps }, height }: { proven: Proven; height: number }) {
  const bottom = height - TOP;
  const middle = WIDTH;
  return (
    <svg
      width={WIDTH * 2}
      height={height}
      viewBox={`0 0 ${WIDTH * 2} ${height}`}
      role="img"
      aria-label={`${steps.length} steps from the change to the signed root`}
      className={classes.drawing}
    >
      {steps.map((step, at) => {
        const low = bottom - at * RISE;
        const away = step.side === "left" ? middle - WIDTH * 0.6 : middle + WIDTH * 0.6;
        return (
          <g key={step.made}>
            <path d={`M${middle} ${low}V${low - RISE}L${away} ${low}`} />
            <circle cx={away} cy={low} r={4} className={classes.other} />
          </g>
        );
      })}
      {[0, ...steps.map((_, at) => at + 1)].map((at) => (
        <circle key={at} cx={middle} cy={bottom - at * RISE} r={at ? 4 : 6} />
      ))}
    </svg>
  );
}
