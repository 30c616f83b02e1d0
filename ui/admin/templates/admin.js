// Drag and drop with progress, and jobs that show how far they are. Without it, forms and pages do the same, less lively.
(() => {
  "use strict";
  const json = { Accept: "application/json" };
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  const follow = async (address, id, tell) => {
    for (;;) {
      const response = await fetch(`${address}?id=${id}`, { headers: json });
      if (!response.ok) return null;
      const job = await response.json();
      if (job.state === "done" || job.state === "failed") return job;
      tell(job);
      await pause(400);
    }
  };

  // Jobs that were running when the page was drawn: the page is drawn anew once they are over.
  const open = [...document.querySelectorAll("li.job[data-open]")];
  Promise.all(open.map(async (item) => {
    const bar = item.querySelector("progress");
    await follow(item.closest("ul").dataset.address, item.dataset.job, (job) => {
      bar.max = job.total || 1;
      bar.value = job.done;
    });
  })).then(() => { if (open.length) location.reload(); }, () => {});

  const form = document.getElementById("upload");
  if (!form) return;
  const list = document.getElementById("sent");
  const picker = form.querySelector("input[type=file]");
  const drop = form.querySelector(".drop");
  const words = form.dataset;

  const row = (name) => {
    const item = list.appendChild(document.createElement("li"));
    item.className = "job";
    const label = item.appendChild(document.createElement("span"));
    label.className = "name";
    label.textContent = name;
    const bar = item.appendChild(document.createElement("progress"));
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", name);
    const state = item.appendChild(document.createElement("span"));
    const say = (text, kind = "") => {
      state.className = kind ? `tag ${kind}` : "";
      state.textContent = text;
    };
    const end = (text, kind) => {
      bar.remove();
      say(text, kind);
    };
    return { bar, say, end };
  };

  const send = (file, told) => new Promise((resolve, reject) => {
    const content = new FormData();
    content.append("token", form.querySelector("[name=token]").value);
    if (form.querySelector("[name=replace]").checked) content.append("replace", "yes");
    content.append("files", file, file.name);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) told.bar.value = event.loaded / event.total;
    });
    request.addEventListener("load", () => resolve(request.response));
    request.addEventListener("error", reject);
    request.send(content);
  });

  const take = async (file) => {
    const told = row(file.name);
    if (file.size > Number(words.megabytes) * 1e6) return told.end(words.tooLarge, "bad"), false;
    told.say(words.sending);
    try {
      const answer = await send(file, told);
      const problems = answer?.problems ?? [answer?.problem];
      if (!answer?.job) return told.end(problems.join(" ") || words.lost, "bad"), false;
      told.say(words.reading);
      told.bar.removeAttribute("value");
      const job = await follow(words.job, answer.job, (now) => {
        if (now.total > 1) { told.bar.max = now.total; told.bar.value = now.done; }
      });
      const isWell = job?.state === "done";
      told.end(isWell ? words.done : [...(job?.problems ?? []), ...(job?.said ?? [])].join("; ") || words.lost, isWell ? "ok" : "bad");
      return isWell;
    } catch {
      told.end(words.lost, "bad");
      return false;
    }
  };

  const takeAll = async (files) => {
    let isWell = true;
    for (const file of files) isWell = (await take(file)) && isWell;
    picker.value = "";
    if (isWell && files.length) location.reload();
  };

  drop.classList.add("lively");
  const picked = form.querySelector(".picked");
  const tell = () => { picked.textContent = [...picker.files].map((file) => file.name).join(", "); };
  picker.addEventListener("change", tell);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await takeAll([...picker.files]);
    tell();
  });
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.remove("over");
  });
  drop.addEventListener("drop", (event) => takeAll([...event.dataTransfer.files]));
})();
