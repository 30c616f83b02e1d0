// Earlier conversations, kept in this browser and nowhere else: listed, opened, renamed, exported, deleted. What is kept
// is text, and it is shown as text. The words of the interface come with the page, in its language.
(() => {
  "use strict";
  const KEY = "citycite.conversations";
  const MOST = 50; // conversations; a browser keeps five megabytes, and one of them has some kilobytes
  const CURRENT = "citycite.current"; // of this tab
  const find = (selector) => document.querySelector(selector);

  const plain = (element) => {
    if (!element) return "";
    const copy = element.cloneNode(true);
    copy.querySelectorAll(".unseen").forEach((hidden) => hidden.remove());
    return copy.textContent.trim();
  };

  const load = () => {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      return Array.isArray(kept) ? kept.filter((one) => one && one.id && Array.isArray(one.turns)) : [];
    } catch { // not ours, or storage is forbidden
      return [];
    }
  };

  const store = (conversations) => {
    for (let count = Math.min(conversations.length, MOST); count >= 0; count -= 1) {
      try {
        localStorage.setItem(KEY, JSON.stringify(conversations.slice(0, count)));
        return;
      } catch { /* full: the oldest goes */ }
    }
  };

  // --- What is on the page ---------------------------------------------------------------------------------------------

  const source = (citation) => ({
    title: plain(citation.querySelector(".title")),
    facts: plain(citation.querySelector(".facts")),
    quote: plain(citation.querySelector("mark")),
    source: plain(citation.querySelector(".source")),
    href: citation.querySelector(".origin a[target]")?.href ?? "",
  });

  const turnsOnPage = () => {
    const questions = [...document.querySelectorAll("#conversation .user-row .question")];
    const replies = [...document.querySelectorAll("#conversation .bot-row")];
    return questions.map((question, index) => {
      const card = replies[index]?.querySelector(".card");
      return {
        question: plain(question),
        understood: plain(replies[index]?.querySelector(".understood")),
        answer: plain(card?.querySelector(".reply") ?? card?.querySelector("p:not(.heading)")),
        sources: [...(card?.querySelectorAll(".citation") ?? [])].map(source),
      };
    });
  };

  let kept = ""; // how many turns of this conversation are in storage, and whether the last is being formulated
  const keep = () => {
    const turns = document.querySelectorAll("#conversation .user-row").length;
    if (!turns) {
      if (kept) sessionStorage.removeItem(CURRENT); // a new conversation has begun
      kept = "";
      return;
    }
    const busy = find(".card.growing, .card.searching") || document.querySelectorAll("#conversation .bot-row .card").length < turns;
    // Kept once the quote is there, and again once a language model has put it into words.
    const state = `${turns}${find(".card.formulating") ? " formulating" : ""}`;
    if (state === kept || busy) return;
    kept = state;
    const id = sessionStorage.getItem(CURRENT) ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    sessionStorage.setItem(CURRENT, id);
    const others = load();
    const own = others.find((one) => one.id === id) ?? { id, name: "" };
    const named = { ...own, date: new Date().toISOString(), turns: turnsOnPage() };
    named.name ||= named.turns[0].question.slice(0, 80);
    store([named, ...others.filter((one) => one.id !== id)]);
    list();
  };

  // --- The panel -------------------------------------------------------------------------------------------------------

  const word = (name) => plain(find(`#archive .words .${name}`));
  const make = (tag, text, properties = {}) =>
    Object.assign(document.createElement(tag), { textContent: text, ...properties });

  let drawn = null; // what the panel shows, so that drawing it does not set off drawing it again
  let opened = null;
  const list = (again = false) => {
    const panel = find("#archive .conversations");
    if (!panel) return;
    const conversations = load();
    const state = JSON.stringify([conversations.map((one) => [one.id, one.name, one.turns.length]), opened, word("rename")]);
    if (!again && panel.childElementCount && state === drawn) return;
    drawn = state;
    find("#archive").classList.toggle("empty", conversations.length === 0);
    panel.replaceChildren(...conversations.map(item), ...(conversations.length ? [clear()] : []));
  };

  const item = (conversation) => {
    const entry = make("li", "");
    const name = make("button", conversation.name, { type: "button", className: "name" });
    name.setAttribute("aria-expanded", String(opened === conversation.id));
    name.onclick = () => { opened = opened === conversation.id ? null : conversation.id; list(true); };
    const date = make("span", new Date(conversation.date).toLocaleDateString(document.documentElement.lang), { className: "date" });
    const actions = make("span", "", { className: "tools" });
    for (const [label, action] of [["rename", rename], ["export", save], ["delete", remove]]) {
      const button = make("button", word(label), { type: "button" });
      button.setAttribute("aria-label", `${word(label)}: ${conversation.name}`);
      button.onclick = () => action(conversation, entry);
      actions.append(button);
    }
    entry.append(name, date, actions);
    if (opened === conversation.id) entry.append(transcript(conversation));
    return entry;
  };

  const transcript = (conversation) => {
    const shown = make("div", "", { className: "transcript" });
    for (const turn of conversation.turns) {
      const again = make("a", turn.question, { className: "again", href: "#" });
      const asked = make("p", "", { className: "asked" });
      asked.append(again);
      shown.append(asked, make("p", turn.answer));
      const quotes = make("ul", "");
      for (const one of turn.sources.filter((each) => each.quote)) {
        const line = make("li", "");
        line.append(make("q", one.quote), " ");
        const place = [one.title, one.facts].filter(Boolean).join(", ");
        const isLink = /^https?:$/.test(new URL(one.href || "x:", location.href).protocol);
        line.append(isLink ? make("a", place, { href: one.href, target: "_blank", rel: "noopener" }) : make("span", place));
        quotes.append(line);
      }
      shown.append(quotes);
    }
    return shown;
  };

  const change = (id, changed) => {
    store(load().flatMap((one) => (one.id === id ? changed(one) : [one])));
    list(true);
  };

  const rename = (conversation, entry) => {
    const field = make("input", "", { value: conversation.name, maxLength: 80, className: "name" });
    field.setAttribute("aria-label", word("rename"));
    const finish = (name) => { field.onblur = null; change(conversation.id, (one) => [{ ...one, name: name.trim() || one.name }]); };
    field.onkeydown = (event) => {
      if (event.key === "Enter") finish(field.value);
      if (event.key === "Escape") finish(conversation.name);
    };
    field.onblur = () => finish(field.value);
    entry.querySelector(".name").replaceWith(field);
    field.select();
  };

  const remove = (conversation) => {
    if (sessionStorage.getItem(CURRENT) === conversation.id) sessionStorage.removeItem(CURRENT);
    change(conversation.id, () => []);
    find("#archive summary").focus();
  };

  const clear = () => {
    const entry = make("li", "");
    const button = make("button", word("delete-all"), { type: "button" });
    button.onclick = () => { if (confirm(word("delete-all-sure"))) { store([]); list(true); } };
    entry.append(button);
    return entry;
  };

  const save = (conversation) => {
    const lines = [`# ${conversation.name}`, "", new Date(conversation.date).toLocaleString(document.documentElement.lang)];
    for (const turn of conversation.turns) {
      lines.push("", `## ${turn.question}`, "", ...(turn.understood ? [`*${turn.understood}*`, ""] : []), turn.answer, "");
      turn.sources.forEach((one, index) => {
        const place = [one.title, one.facts, one.source].filter(Boolean).join(", ");
        lines.push(`${index + 1}. ${one.quote ? `„${one.quote.replace(/\s+/g, " ")}“ – ` : ""}${place} <${one.href}>`);
      });
    }
    const file = new Blob([lines.join("\n") + "\n"], { type: "text/markdown" });
    const link = make("a", "", { href: URL.createObjectURL(file), download: `${conversation.name.replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 60)}.md` });
    link.click();
    URL.revokeObjectURL(link.href);
  };

  const tidy = () => { keep(); list(); };
  new MutationObserver(tidy).observe(document.documentElement, { subtree: true, childList: true });
  tidy();

  // On paper, the quotes that an answer rests on are part of it.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("#conversation details:not([open])")];
    closed.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));
})();
