// The slider of the trail: the file as it was follows the thumb. Without this the button shows it.
"use strict";

for (const form of document.querySelectorAll("form[data-trail]")) {
  const thumb = form.elements.seq;
  const shown = document.getElementById("shown");
  const text = form.querySelector("output");
  const now = form.querySelector("[data-now]");
  const button = form.querySelector("button");
  let asked = 0;
  let waits = 0;

  async function show(seq) {
    const mine = ++asked;
    const answer = await fetch(`${form.dataset.trail}?seq=${seq}&part=then`, { credentials: "same-origin" });
    // An answer that a later one has overtaken, or a sign-in page in its place, is not shown.
    if (mine !== asked || !answer.ok || answer.redirected) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("then-shown");
    if (!part || mine !== asked) return;
    shown.replaceChildren(part);
    say(part.dataset.text);
    now.hidden = Number(part.dataset.seq) >= Number(thumb.max);
    history.replaceState(null, "", now.hidden ? form.dataset.trail : `${form.dataset.trail}?seq=${part.dataset.seq}`);
  }

  function say(what) {
    text.textContent = what;
    thumb.setAttribute("aria-valuetext", what);
  }

  function later(seq) {
    clearTimeout(waits);
    // Where no answer comes the button does what it does without a script.
    waits = setTimeout(() => show(seq).catch(() => (button.hidden = false)), 120);
  }

  button.hidden = true;
  thumb.addEventListener("input", () => {
    // Until the answer comes the number alone is known.
    text.textContent = `${thumb.value} / ${thumb.max}`;
    later(thumb.value);
  });
  now.addEventListener("click", (event) => {
    event.preventDefault();
    thumb.value = thumb.max;
    later(thumb.max);
    thumb.focus();
  });
}
