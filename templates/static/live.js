// Keeps open pages fresh, with htmx and its SSE extension; forms that somebody types in are left alone.
"use strict";

{
  const LOST_AFTER = 2;
  const page = document.querySelector("[data-live-page]");
  const stream = page && page.querySelector("[data-live-stream]");

  function tell(what, shown) {
    page.querySelector(`[data-live-${what}]`).hidden = !shown;
  }

  // What was unfolded stays so when a piece is put in its place.
  htmx.registerExtension("legation", {
    htmx_before_morph_attr: (_, detail) => detail.attrName !== "open",
  });

  // A piece with a form that somebody has begun stays as it is; what is new is offered instead.
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form");
    if (form) form.dataset.begun = "yes";
  });
  function keepBegun(event) {
    const { tasks } = event.detail;
    for (const task of [...tasks]) {
      if (!task.target.querySelector("form[data-begun]")) continue;
      tasks.splice(tasks.indexOf(task), 1);
      tell("behind", true);
    }
  }

  function follow() {
    let failed = 0;
    const connection = () => stream._htmx && stream._htmx.sse;
    // Asked for here, not by an attribute: htmx may have gone through the page before its extension was there.
    const listen = () => connection() || htmx.ajax("GET", stream.dataset.liveStream, { source: stream });

    stream.addEventListener("htmx:sse:after:connection", () => {
      failed = 0;
      tell("lost", false);
    });
    stream.addEventListener("htmx:sse:error", (event) => {
      failed += 1;
      if (failed >= LOST_AFTER) tell("lost", true);
      // Who may not look any more is not let in by asking again.
      if ([401, 403, 404].includes(event.detail.status)) over();
    });
    page.addEventListener("htmx:before:swap", keepBegun);
    stream.addEventListener("news", () => {
      if (!("liveWhole" in page.dataset)) tell("behind", true);
    });
    stream.addEventListener("over", over);
    // A first connection that fails is not tried again by the extension.
    stream.addEventListener("htmx:finally:request", (event) => {
      if (connection() || !event.detail.ctx.response) return;
      const status = event.detail.ctx.response.status;
      if ([401, 403, 404].includes(status)) over();
    });
    stream.addEventListener("htmx:error", () => {
      failed += 1;
      if (failed >= LOST_AFTER) tell("lost", true);
      setTimeout(listen, Math.min(60000, 1000 * 2 ** failed));
    });

    function over() {
      tell("lost", false);
      tell("over", true);
      stop();
    }

    function stop() {
      const open = connection();
      if (!open) return;
      open.cancelled = true;
      open.config.reconnect = false;
      if (open.reader) open.reader.cancel();
      open.abortController.abort();
    }

    addEventListener("pagehide", stop);
    addEventListener("pageshow", (event) => event.persisted && listen());
    listen();
  }

  if (stream) follow();
}
