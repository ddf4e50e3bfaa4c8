/** What a field that names something could name: looked up when the field is shown, never bound. */
import { useCatalogue } from "~/api/catalogue";
import { useList } from "~/api/queries";
import { gpuCards, type Offer } from "~/market/gpus";
import { useScope } from "~/shell/scope";

const MOST = 200;
/** What is on sale tells these; no kind has them as its names. */
const OF_OFFERS = new Set(["gpu-model", "operator", "site"]);

/** Names to choose from; none where there are none, or where one may not know of them. */
export function useNames(source: string, shown = true): readonly string[] {
  const catalogue = useCatalogue();
  const scope = useScope();
  const sold = OF_OFFERS.has(source);
  const kind = catalogue.find(sold ? "offer" : source);
  // A kind that every cloud has stands in where there is none, and is not asked for.
  const asked = kind ?? catalogue.kinds[0];
  if (asked === undefined) throw new Error("a cloud without kinds");
  const usable = kind?.parents.length === 0 && kind.ops.includes("list");
  const found = useList(asked, scope, { limit: MOST }, [], shown && usable);
  const items = kind === undefined ? [] : (found.data?.items ?? []);
  if (!sold) return items.map((item) => item.metadata.name);
  return namesOnSale(source, items as unknown as readonly Offer[]);
}

function namesOnSale(source: string, offers: readonly Offer[]): readonly string[] {
  if (source === "gpu-model") return gpuCards(offers).map((card) => card.model);
  const field = source === "operator" ? "operator" : "site";
  const found = offers.map((offer) => offer.spec[field] ?? "").filter((name) => name !== "");
  return [...new Set(found)].sort();
}
