/**
 * The page's policy lets in only `<style>` elements that carry the nonce of this response. Libraries
 * that make some at run time are given it here, before any of them is loaded.
 */
export const nonce =
  document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";

if (nonce) {
  const create = document.createElement.bind(document);
  const wrapped = (tag: string, options?: ElementCreationOptions): HTMLElement => {
    const made = create(tag, options);
    if (tag.toLowerCase() === "style") made.setAttribute("nonce", nonce);
    return made;
  };
  document.createElement = wrapped as typeof document.createElement;
}
