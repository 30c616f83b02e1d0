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
    lang: citation.querySelector("blockquote")?.lang ?? "",
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
        view: card?.querySelector(".actions a.link")?.search ?? null, // the filters; without an answer there are none
      };
    });
  };

  let kept = ""; // how many turns of this conversation are in storage, and whether the last is being formulated
  const keep = () => {
    const turns = document.querySelectorAll("#conversation .user-row").length;
    if (!turns) {
      if (kept) { // a new conversation has begun
        sessionStorage.removeItem(CURRENT);
        hold([]);
      }
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
    hold(named.turns);
    list();
  };

  // --- The server may lose a conversation: it is restarted, or the page is loaded anew. Then it is handed back. --------

  const LONGEST = 12000; // a request may have 64 kB, and a letter six bytes
  const hold = (turns) => {
    const field = find("#said textarea");
    if (!field) return false;
    let said = turns.filter((turn) => turn.view !== null && turn.view !== undefined)
      .map(({ question, view }) => ({ question, view: view.replace(/([?&])q=[^&]*&?/, "$1") })).slice(-20);
    while (JSON.stringify(said).length > LONGEST) said = said.slice(1);
    field.value = said.length ? JSON.stringify(said) : "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return said.length > 0;
  };

  // Gradio loses the reply to an event that comes just as it closes the stream of those before.
  const handBack = (tries) => {
    if (!tries || find("#conversation .user-row")) return;
    find("#resume").click();
    setTimeout(() => handBack(tries - 1), 5000);
  };

  let resumed = false;
  const resume = () => {
    // Once the page has been greeted in its language; before that, it is not ready for anything.
    if (resumed || !find("#language label.selected") || !find("#resume")) return;
    resumed = true;
    const own = load().find((one) => one.id === sessionStorage.getItem(CURRENT));
    const asked = new URL(location.href).searchParams.get("q"); // a link opens a conversation of its own
    if (asked && own?.turns.length === 1 && own.turns[0].question === asked.trim()) return; // unless it is loaded anew
    if (asked || document.querySelector("#conversation .user-row")) sessionStorage.removeItem(CURRENT);
    else if (own && hold(own.turns)) setTimeout(() => handBack(3), 50); // once it is taken in
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
        line.append(make("q", one.quote, { lang: one.lang ?? "" }), " ");
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

  // What is deleted is gone, so the page asks first: in its own language, which the browser's own dialog may not speak.
  const asks = (question, about, label, action, opener) => {
    const dialog = make("dialog", "", { id: "delete-dialog", lang: document.documentElement.lang });
    dialog.setAttribute("aria-labelledby", "delete-title");
    const buttons = make("p", "", { className: "buttons" });
    const yes = make("button", label, { type: "button", className: "danger" });
    const no = make("button", word("cancel"), { type: "button" });
    buttons.append(yes, no);
    dialog.append(make("h1", question, { id: "delete-title" }), ...(about ? [make("p", about)] : []), buttons);
    const back = () => (document.contains(opener) ? opener : find("#archive summary")).focus();
    yes.onclick = () => { dialog.close(); action(); find("#archive summary").focus(); };
    no.onclick = () => dialog.close();
    dialog.onclose = () => { dialog.remove(); back(); };
    document.body.append(dialog);
    dialog.showModal();
    no.focus(); // what is harmless
  };

  const remove = (conversation, entry) => {
    const opener = entry.querySelector(".tools button:last-child");
    asks(word("delete-sure"), conversation.name, word("delete"), () => {
      if (sessionStorage.getItem(CURRENT) === conversation.id) sessionStorage.removeItem(CURRENT);
      change(conversation.id, () => []);
    }, opener);
  };

  const clear = () => {
    const entry = make("li", "");
    const button = make("button", word("delete-all"), { type: "button" });
    button.onclick = () => asks(word("delete-all-sure"), "", word("delete-all"), () => { store([]); list(true); }, button);
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

  const tidy = () => { resume(); keep(); list(); };
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
