/** The way of one statement up the tree: from its leaf to the root that the operator signed. */
import { counted, moment } from "~/parts/formats";
import type { Proven } from "~/proof/statement";
import classes from "./ReceiptTab.module.css";

export function Path({ proven }: { proven: Proven }) {
  const { statement, kind, verb, at, leafHash, steps, root, size } = proven;
  return (
    <details>
      <summary className={classes.summary}>
        Change {statement.position}: {kind.replaceAll(".", " ")} {verb}, {moment(at)}
      </summary>
      <ol className={classes.steps}>
        <li>
          Its leaf <span className={classes.hash}>{short(leafHash)}</span>, made of what it says and
          its salt
        </li>
        {steps.map((step) => (
          <li key={step.made}>
            with its {step.side} neighbour <span className={classes.hash}>{short(step.hash)}</span>{" "}
            makes <span className={classes.hash}>{short(step.made)}</span>
          </li>
        ))}
        <li>
          which is the root <span className={classes.hash}>{short(root)}</span> of{" "}
          {counted(size, "change")}, signed by the operator
        </li>
      </ol>
    </details>
  );
}

function short(hash: string): string {
  return `${hash.slice(0, 16)}…`;
}
