/**
 * The theme that was chosen, before anything is drawn: a script of its own, because the page's policy allows none inside
 * it and its modules run too late. Mantine, which keeps the choice under this name, takes over from here.
 */
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("mantine-color-scheme-value");
  } catch {
    // Where storage is forbidden nothing was chosen.
  }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light";
})();
