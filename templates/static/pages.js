// What a page cannot do without a script: ask a device for a passkey. And what it does better with one.
"use strict";

const octets = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const written = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function ask(path, body, csrf) {
  const headers = { "Content-Type": "application/json" };
  if (csrf) headers["X-CSRF-Token"] = csrf;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

function answered(credential) {
  const response = { clientDataJSON: written(credential.response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = written(credential.response[part]);
  }
  return { id: credential.id, rawId: written(credential.rawId), type: credential.type, response };
}

async function signed(options) {
  const known = (options.allowCredentials || []).map((one) => ({ ...one, id: octets(one.id) }));
  const publicKey = { ...options, challenge: octets(options.challenge), allowCredentials: known };
  return answered(await navigator.credentials.get({ publicKey }));
}

async function made(options) {
  const known = (options.excludeCredentials || []).map((one) => ({ ...one, id: octets(one.id) }));
  const user = { ...options.user, id: octets(options.user.id) };
  const publicKey = { ...options, challenge: octets(options.challenge), user, excludeCredentials: known };
  return answered(await navigator.credentials.create({ publicKey }));
}

// Says in the page what went wrong; a device that was dismissed is told from an answer of the server.
function complain(form, error) {
  const place = form.querySelector("[data-complaint]");
  const ours = error instanceof DOMException;
  place.textContent = ours ? form.dataset.dismissed : error.message;
  place.hidden = false;
  place.focus();
}

async function once(form, button, act) {
  button.disabled = true;
  try {
    await act();
  } catch (error) {
    button.disabled = false;
    complain(form, error);
  }
}

function signIn(form) {
  const button = form.querySelector("[data-passkey]");
  button.hidden = false;
  button.addEventListener("click", () =>
    once(form, button, async () => {
      const { options } = await ask("/api/v1/session/passkey/options", {});
      const session = await ask("/api/v1/session/passkey", { credential: await signed(options) });
      const back = document.querySelector("form[data-carried]");
      if (!back) return location.assign(form.elements.next.value);
      back.elements.csrf.value = session.csrf_token;
      back.submit();
    }),
  );
}

function add(form) {
  const button = form.querySelector("[data-passkey]");
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form, button, async () => {
      const csrf = form.elements.csrf.value;
      const { options } = await ask("/api/v1/passkey/options", {}, csrf);
      const label = form.elements.label.value;
      await ask("/api/v1/passkeys", { credential: await made(options), label }, csrf);
      location.reload();
    });
  });
}

function sign(form) {
  form.addEventListener("submit", (event) => {
    const { reason, signature } = form.elements;
    // Without the passkey the session signs, and the trail says so. Without a reason the server says what is missing.
    if ("without" in event.submitter.dataset) signature.value = "";
    else if (!signature.value && (!reason || reason.value.trim())) return askDevice(form, event);
    hold(form, event);
  });
}

function askDevice(form, event) {
  event.preventDefault();
  once(form, event.submitter, async () => {
    const { act, csrf, digest, signature } = form.elements;
    const body = { act: act.value, step_id: form.dataset.step, digest: digest.value };
    const { options } = await ask(form.dataset.signing, body, csrf.value);
    const { id, response } = await signed(options);
    signature.value = JSON.stringify({
      credential: id,
      client_data: response.clientDataJSON,
      authenticator_data: response.authenticatorData,
      signature: response.signature,
    });
    form.submit();
  });
}

// A second press while the first one is on its way sends nothing more.
function hold(form, event) {
  if (form.dataset.sent) event.preventDefault();
  else form.dataset.sent = "yes";
}

// Links to choose a password carry their secret behind the #, where no server and no mail scanner sees it.
function followLink() {
  const link = /^#link=([A-Za-z0-9_-]+)$/.exec(location.hash);
  if (!link) return;
  const field = document.querySelector("input[name=link]");
  if (!field) return location.replace("/choose-password" + location.hash);
  field.value = link[1];
  history.replaceState(null, "", location.pathname);
}

// On a narrow screen a row of ways is wider than the screen: the one that is open is in sight.
function bringIntoSight(way) {
  const row = way.closest("ul, nav");
  const scrolled = row.scrollWidth > row.clientWidth ? row : row.parentElement;
  const [here, there] = [scrolled.getBoundingClientRect(), way.getBoundingClientRect()];
  scrolled.scrollLeft += there.left - here.left - (here.width - there.width) / 2;
}

followLink();
for (const way of document.querySelectorAll(".tabs [aria-current], .top nav [aria-current], .sections [aria-current]")) bringIntoSight(way);
for (const form of document.querySelectorAll("form")) {
  if (form.dataset.form === "sign-in" && window.PublicKeyCredential) signIn(form);
  else if (form.dataset.form === "add" && window.PublicKeyCredential) add(form);
  else if (form.dataset.form === "sign" && window.PublicKeyCredential) sign(form);
  else if (form.method === "post") form.addEventListener("submit", (event) => hold(form, event));
}
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
