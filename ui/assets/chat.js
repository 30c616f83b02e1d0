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
    const filters = find("#filters > button");
    const isOpen = String(Boolean(filters?.classList.contains("open")));
    if (filters && filters.getAttribute("aria-expanded") !== isOpen) filters.setAttribute("aria-expanded", isOpen);
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

  // The address says which documents are asked, so that a reload, a bookmark and a colleague see the same.
  // A question in it stays there until the conversation moves on.
  const view = () => {
    const link = find("#view a.view");
    if (!link) return;
    const wanted = new URL(link.href);
    const question = new URL(location.href).searchParams.get("q");
    if (question && seen <= 1) wanted.searchParams.set("q", question);
    if (wanted.href !== location.href) history.replaceState(null, "", wanted);
  };

  const tidy = () => { speak(); name(); follow(); view(); };
  new MutationObserver(tidy).observe(document.documentElement, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["aria-label", "lang", "href"],
  });
  tidy();

  const ask = (question) => {
    const box = find("#question textarea");
    box.value = question;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    setTimeout(() => find("#ask").click());
  };

  // The quote with what a reader needs to find it again. The clipboard's own interface is missing where a page comes
  // over plain HTTP, as in many an intranet.
  const copy = async (link) => {
    const citation = link.closest(".citation");
    const said = (selector) => citation.querySelector(selector)?.textContent.trim();
    const place = citation.querySelector(".origin a[target]").href;
    const origin = [said(".title"), said(".facts"), said(".source"), place].filter(Boolean).join(", ");
    const content = `„${said("mark") || said("blockquote")}“ (${origin})`;
    if (navigator.clipboard) await navigator.clipboard.writeText(content);
    else {
      const field = document.body.appendChild(document.createElement("textarea"));
      field.value = content;
      field.select();
      document.execCommand("copy");
      field.remove();
      link.focus();
    }
    link.classList.add("copied");
    setTimeout(() => link.classList.remove("copied"), 2500);
  };

  const open = (details) => {
    details.open = true;
    details.querySelector("summary").focus();
  };

  document.addEventListener("click", (event) => {
    const mark = event.target.closest("a.mark");
    const copying = event.target.closest("a.copy");
    const again = event.target.closest("a.again");
    if (copying) {
      event.preventDefault();
      copy(copying);
    } else if (again) { // asked here, where the conversation goes on, and not on a new page
      event.preventDefault();
      ask(again.textContent);
    } else if (mark) {
      const details = document.getElementById(mark.getAttribute("href").slice(1));
      event.preventDefault();
      if (details) open(details);
    } else if (event.target.closest("#ask, #restart")) {
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
