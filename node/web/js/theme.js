// Dark or light, before anything is drawn: a plain script in the head. Without a choice the system's is followed.
"use strict";
(function () {
  let choice = null;
  try {
    choice = localStorage.getItem("shoal.theme");
  } catch {
    // A browser that keeps nothing follows the system.
  }
  if (choice === "dark" || choice === "light") document.documentElement.dataset.theme = choice;
})();
