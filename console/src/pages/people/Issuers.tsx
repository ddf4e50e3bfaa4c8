/** Whose word counts about who somebody is: OpenID Connect issuers, which the operator declares. */
import { useSignedIn } from "~/api/session";
import { EmptyState } from "~/parts/EmptyState";
import { KindTab } from "./KindTab";

export function Issuers() {
  const { operator } = useSignedIn();
  if (!operator) {
    return (
      <EmptyState icon="key" title="Issuers are the operator's to declare">
        Those that your organisation signs in at are on the page where you sign in. To have another
        one, ask the operator of this cloud.
      </EmptyState>
    );
  }
  return (
    <KindTab noun="issuer" make="Create issuer">
      People sign in at an issuer with a client id; one without is only for programs, whose tokens
      are exchanged.
    </KindTab>
  );
}
