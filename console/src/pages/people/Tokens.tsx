/** Tokens: secrets by which people and programs prove who they are, each shown once. */
import { KindTab } from "./KindTab";

export function Tokens() {
  return (
    <KindTab noun="token" make="Create token">
      A token's secret is shown once, when it is made; only its hash is kept. Deleting it ends it at
      once.
    </KindTab>
  );
}
