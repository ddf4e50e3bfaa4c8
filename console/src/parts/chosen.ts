/** In a row of tabs that is wider than its page, the chosen one comes into sight. */
export function toChosen(row: HTMLElement | null): void {
  const chosen = row?.querySelector<HTMLElement>("[aria-selected=true], [aria-current=page]");
  if (!row || !chosen) return;
  row.scrollLeft = chosen.offsetLeft - (row.clientWidth - chosen.offsetWidth) / 2;
}
