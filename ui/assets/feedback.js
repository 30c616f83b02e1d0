// Feedback on a reply: "helpful" is sent at once, "not helpful" asks why in a dialog. Without this, the links lead to a page.
(() => {
  "use strict";
  const rated = new Map(); // address of a link to what became of it; Gradio draws the conversation anew now and then

  const mark = () => {
    document.querySelectorAll(".rating").forEach((rating) => {
      const state = rated.get(rating.querySelector("a.rate.up")?.href);
      if (state && !rating.classList.contains(state)) rating.classList.add(state);
    });
  };
  new MutationObserver(mark).observe(document.documentElement, { subtree: true, childList: true });

  const send = async (content) => {
    const response = await fetch("api/v1/feedback", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content),
    });
    if (!response.ok) throw new Error(response.status);
  };

  const contentOf = (fields) => {
    const content = { cited: fields.getAll("cited") };
    for (const name of ["question", "language", "reason", "document", "comment"]) {
      if (fields.get(name)) content[name] = fields.get(name);
    }
    content.helpful = fields.get("helpful") === "yes";
    if (fields.get("answered")) content.answered = fields.get("answered") === "yes";
    return content;
  };

  // What was said is read out, because it takes the focus that the link had.
  const settle = (rating, state) => {
    const key = rating.querySelector("a.rate.up").href;
    rated.set(key, state);
    rating.classList.remove("refused");
    rating.classList.add(state);
    const said = rating.querySelector(state === "done" ? ".thanks" : ".failed");
    said.tabIndex = -1;
    said.focus({ preventScroll: true });
  };

  const open = async (link) => {
    const response = await fetch(link.href);
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const dialog = document.createElement("dialog");
    dialog.id = "feedback-dialog";
    dialog.lang = page.documentElement.lang;
    dialog.setAttribute("aria-labelledby", "feedback-title");
    dialog.append(page.getElementById("feedback-title"), page.getElementById("feedback"));
    document.body.append(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (document.contains(link) && link.offsetParent) link.focus();
    });
    dialog.addEventListener("click", (event) => {
      if (event.target !== dialog && !event.target.closest(".cancel")) return;
      event.preventDefault();
      dialog.close();
    });
    const rating = link.closest(".rating");
    dialog.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      const form = event.target;
      form.querySelector("button").disabled = true;
      try {
        await send(contentOf(new FormData(form)));
        dialog.close();
        settle(rating, "done");
      } catch {
        form.querySelector(".problem").textContent = form.dataset.failed;
        form.querySelector("button").disabled = false;
      }
    });
    dialog.showModal();
  };

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a.rate");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const rating = link.closest(".rating");
    try {
      if (link.classList.contains("up")) {
        await send(contentOf(new URL(link.href).searchParams));
        settle(rating, "done");
      } else await open(link);
    } catch {
      settle(rating, "refused");
    }
  });
})();
