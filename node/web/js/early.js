// Sets dark or light before the page renders: a plain script in the head. The default follows the system.
"use strict";
(function () {
  let choice = null;
  try {
    choice = localStorage.getItem("shoal.theme");
  } catch {
    // A browser without storage follows the system.
  }
  if (choice === "dark" || choice === "light") document.documentElement.dataset.theme = choice;
})();
