// Before anything is painted, so that a dark page never flashes white.
(() => {
  let wanted = "auto";
  try {
    wanted = localStorage.getItem("skerry-color-scheme") ?? "auto";
  } catch {
    // Storage is closed to us: the system's scheme will do.
  }
  const dark =
    wanted === "dark" || (wanted === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
