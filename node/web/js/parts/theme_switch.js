// Dark, light, or like the system; remembered.
import { html, useState } from "../html.js";

const KEY = "shoal.theme";
const NEXT = { system: "dark", dark: "light", light: "system" };
const ICONS = { system: "◐", dark: "☾", light: "☀" };

export function ThemeSwitch() {
  const [theme, set] = useState(document.documentElement.dataset.theme ?? "system");
  const choose = () => {
    const next = NEXT[theme];
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // Then it lasts only while this page stays open.
    }
    set(next);
    dispatchEvent(new Event("themechange"));
  };
  return html`<button type="button" class="theme" onClick=${choose} aria-label=${`Colors: ${theme}. Change to ${NEXT[theme]}.`} title=${`Colors: ${theme}`}><span aria-hidden="true">${ICONS[theme]}</span></button>`;
}
