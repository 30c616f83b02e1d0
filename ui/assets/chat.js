// What Gradio's page lacks for keyboard and screen reader. Without eval, so that the content security policy can forbid it.
(() => {
  "use strict";
  const find = (selector) => document.querySelector(selector);

  // The document speaks the language of the interface, not that of the browser.
  const speak = () => {
    const masthead = find(".masthead[lang]");
    if (masthead && document.documentElement.lang !== masthead.lang) document.documentElement.lang = masthead.lang;
  };

  // Gradio names each message by its HTML source, in English. Without a name, its text is read.
  const name = () => {
    document.querySelectorAll('#conversation [data-testid="bot"], #conversation [data-testid="user"]').forEach((message) => {
      if (message.hasAttribute("aria-label")) message.removeAttribute("aria-label");
    });
    const log = find('#conversation [role="log"]');
    if (!log) return;
    if (log.hasAttribute("aria-label")) {
      log.removeAttribute("aria-label");
      log.setAttribute("aria-labelledby", "conversation-name");
    }
    const stop = log.querySelector(".card") ? 0 : -1; // what scrolls, the keyboard must reach
    if (log.tabIndex !== stop) log.tabIndex = stop;
    // Announce an answer once, when it is whole.
    if (log.getAttribute("aria-busy") !== String(busy())) log.setAttribute("aria-busy", String(busy()));
  };
  const busy = () => Boolean(find(".card.growing, .card.searching"));

  // A new question goes to the top of the view and stays there while its answer grows below it.
  let seen = 0;
  let following = false;
  const follow = () => {
    const questions = document.querySelectorAll("#conversation .user-row");
    following ||= questions.length > seen;
    seen = questions.length;
    if (!following || !seen) return;
    questions[seen - 1].scrollIntoView({ block: "start" });
    following = busy() || document.querySelectorAll("#conversation .card").length < seen;
  };

  const tidy = () => { speak(); name(); follow(); };
  new MutationObserver(tidy).observe(document.documentElement, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["aria-label", "lang"],
  });
  tidy();

  const open = (details) => {
    details.open = true;
    details.querySelector("summary").focus();
  };

  document.addEventListener("click", (event) => {
    const mark = event.target.closest("a.mark");
    if (mark) {
      const details = document.getElementById(mark.getAttribute("href").slice(1));
      event.preventDefault();
      if (details) open(details);
    } else if (event.target.closest("#ask, .example, #restart")) {
      find("#question textarea")?.focus(); // these buttons go, or have done their work
    }
  });

  // Of an opened citation, the quote is brought into view; nothing moves if it is there already. A mere passage has none.
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches("details.citation[open]")) return;
    event.target.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  }, true);

  // The address keeps the chosen language, so that a reload and a bookmark do too.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("#language input")) return;
    const address = new URL(location.href);
    address.searchParams.set("lang", event.target.value);
    history.replaceState(null, "", address);
  });
})();
