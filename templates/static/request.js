// Keeps a long form while it is typed: what stands in it goes to the server a moment after the last key.
"use strict";

const PAUSE = 1200;

function keeping(form, told) {
  let waiting = 0;
  const keep = async () => {
    const body = new URLSearchParams(new FormData(form));
    body.set("act", "keep");
    try {
      const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      told.textContent = told.dataset.kept.replace("{time}", time);
    } catch {
      told.textContent = told.dataset.unkept;
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, PAUSE);
  });
  // What is sent by hand is kept by that.
  form.addEventListener("submit", () => clearTimeout(waiting));
}

for (const told of document.querySelectorAll("[data-kept]")) keeping(told.closest("form"), told);
