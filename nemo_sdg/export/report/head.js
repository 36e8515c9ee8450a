"use strict";
// The head of the page: the theme and the menu of sections.
(() => {
  const byId = (id) => document.getElementById(id);

  // Theme
  const root = document.documentElement;
  const systemDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemDark());
  const nameTheme = () => { byId("theme").textContent = isDark() ? "Light theme" : "Dark theme"; byId("theme").hidden = false; };
  byId("theme").addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; nameTheme(); });
  nameTheme();

  // Menu
  const menu = byId("menu");
  menu.addEventListener("click", (event) => { if (event.target.closest("a")) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
})();
