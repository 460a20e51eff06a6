"use strict";
// Draws the ladders of the page, each when it is opened.
(async () => {
  const packed = document.getElementById("ladders").textContent.trim();
  if (!packed) return;
  const bytes = Uint8Array.from(atob(packed), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const ladders = new Map(((await new Response(stream).json()) || []).map(l => [l.id, l]));

  const element = (name, classes, text) => {
    const e = document.createElement(name);
    if (classes) e.className = classes;
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const cell = (name, scope, lines) => {
    const e = element(name);
    if (scope) e.scope = scope;
    lines.forEach((line, i) => i ? e.append(element("br"), line) : e.append(line));
    return e;
  };
  const second = 1e9;
  const kinds = [["packet", "packets"], ["step", "faults and steps"], ["state", "states"], ["conntrack", "conntrack"], ["peer", "programs"]];

  class Ladder {
    constructor(data, into) {
      this.data = data;
      this.into = into;
      this.lanes = data.hosts.map(() => ""); // the class of each host's lane
      this.rows = [];
      this.standings();
      this.tools();
      this.head();
      this.block = null;
      let number = 0; // what is folded counts too, so that links stay the same
      for (const part of data.parts) for (const rung of [...part.rungs, ...(part.repeats || []).flat()]) rung.number = number++;
      for (const part of data.parts) this.part(part);
      if (data.silence) this.note("⋮ " + data.silence);
      if (data.ended) this.note("the end, at " + data.ended);
      if (data.files) this.note("the packets are in " + data.files);
      if (this.rows.length) this.rows[0].element.tabIndex = 0;
      into.addEventListener("keydown", e => this.key(e));
      into.addEventListener("click", e => {
        const step = e.target.closest(".step");
        if (step && !e.target.closest(".detail")) this.toggle(step);
      });
    }

    // standings says who knows what at the end.
    standings() {
      if (!this.data.standings) return;
      const table = element("table", "standings"), head = element("tr"), body = element("tbody");
      table.append(element("caption", "", `Who knows what at the end, after ${this.data.ended} s`), element("thead"), body);
      table.tHead.append(head);
      const columns = ["host", "last packet that reached it", "what it holds", "what it did last"];
      for (const words of columns) head.append(cell("th", "col", [words]));
      for (const s of this.data.standings) {
        const row = element("tr");
        row.append(cell("th", "row", [s.host]), cell("td", "", [s.heard || "–"]), cell("td", "", s.holds || ["–"]), cell("td", "", s.did || ["–"]));
        [...row.cells].forEach((c, i) => c.dataset.column = columns[i]); // shown where the table is too narrow for a heading
        body.append(row);
      }
      this.into.append(table);
    }

    tools() {
      const tools = element("div", "tools");
      const search = element("input");
      search.type = "search";
      search.placeholder = "filter: RST, 5000, ESTABLISHED …";
      search.setAttribute("aria-label", "show only events with these words");
      tools.append(search);
      const boxes = kinds.map(([kind, words]) => {
        const label = element("label"), box = element("input");
        box.type = "checkbox";
        box.checked = true;
        box.value = kind;
        label.append(box, " " + words);
        tools.append(label);
        return box;
      });
      this.count = element("output", "", "");
      tools.append(this.count);
      const filter = () => {
        const words = search.value.toLowerCase().split(/\s+/).filter(w => w);
        const shown = new Set(boxes.filter(b => b.checked).map(b => b.value));
        let n = 0;
        for (const row of this.rows) {
          const keep = shown.has(row.kind) && words.every(w => row.text.includes(w));
          row.element.hidden = !keep;
          if (keep) n++;
        }
        this.count.textContent = n === this.rows.length ? "" : `${n} of ${this.rows.length} events`;
      };
      search.addEventListener("input", filter);
      for (const box of boxes) box.addEventListener("change", filter);
      this.into.append(tools);
    }

    head() {
      const hosts = element("div", "hosts"), names = element("div", "lanes");
      for (const h of this.data.hosts) names.append(element("span", "", h));
      hosts.append(element("span", "", "seconds"), names);
      this.into.append(hosts);
    }

    at(host) { return this.data.hosts.length > 1 ? 100 * host / (this.data.hosts.length - 1) : 0; }

    // add adds a row; rows stand in blocks that a browser lays out only where they are seen.
    add(e) {
      if (!this.block || this.block.childElementCount >= 100) {
        this.block = element("div", "block");
        this.into.append(this.block);
      }
      this.block.append(e);
    }

    note(text) {
      const gap = element("div", "gap", text);
      this.add(gap);
      return gap;
    }

    part(part) {
      if (part.pause) this.note("⋮ " + part.pause);
      for (const rung of part.rungs) this.rung(rung, e => this.add(e));
      if (!part.times) return;
      const gap = this.note("⋮ "), here = (part.repeats || []).length;
      const words = part.more;
      if (!here) {
        gap.append(words);
        return;
      }
      const lanes = [...this.lanes];
      const button = element("button", "unfold", words + (here < part.times ? `: show the first ${here}` : ": show"));
      button.setAttribute("aria-expanded", "false");
      gap.append(button);
      button.addEventListener("click", e => {
        e.stopPropagation();
        if (button.getAttribute("aria-expanded") === "true") return;
        button.setAttribute("aria-expanded", "true");
        let last = gap;
        const place = e => { last.after(e); last = e; };
        const end = this.lanes;
        this.lanes = lanes;
        for (const rung of part.repeats.flat()) this.rung(rung, place);
        this.lanes = end;
      });
    }

    rung(rung, place) {
      if (rung.host >= 0 && rung.subject) {
        if (rung.kind === "state") this.lanes[rung.host] = rung.state === "ESTABLISHED" ? "established" : rung.state === "CLOSED" ? "" : "half";
        if (rung.kind === "conntrack") this.lanes[rung.host] = rung.state ? "entry" : "";
      }
      const step = element("div", "step k-" + rung.kind);
      step.id = `${this.data.id}-${rung.number}`;
      step.tabIndex = -1;
      step.append(element("time", "", (rung.at / second).toFixed(3)));
      const lanes = element("div", "lanes");
      this.lanes.forEach((state, host) => {
        const lane = element("i", "lane " + state);
        lane.style.left = this.at(host) + "%";
        lanes.append(lane);
      });
      lanes.append(rung.brief === undefined ? this.event(rung) : this.packet(rung));
      step.append(lanes);
      place(step);
      const row = {element: step, kind: rung.kind, rung, text: this.words(rung).toLowerCase()};
      step.row = row;
      this.rows.push(row);
    }

    words(rung) { return rung.words || rung.text; }

    label(rung) {
      let label = (rung.forged ? "forged " : "") + rung.brief;
      if (rung.end === "dropped") label += ", dropped at " + this.data.hosts[rung.to];
      if (rung.end === "lost") label += ", lost";
      return label;
    }

    event(rung) {
      const last = rung.host === this.data.hosts.length - 1 && rung.host > 0;
      const event = element("span", "event " + (last ? "right" : "left"));
      if (rung.host > 0 && !last) event.style.marginLeft = this.at(rung.host) + "%";
      event.append(element("span", "", this.words(rung)));
      return event;
    }

    packet(rung) {
      let from = this.at(rung.host), to = this.at(rung.to);
      if (from === to) to = rung.host > 0 ? from - this.at(1) / 2 : this.at(1) / 2; // lost on its first cable
      const packet = element("span", "packet" + (rung.end ? " died" : "") + (rung.forged ? " is-forged" : ""));
      const left = Math.min(from, to), width = Math.abs(from - to);
      const label = element("span", "", this.label(rung));
      const shaft = element("span", "shaft " + (to > from ? "to-right" : "to-left"));
      shaft.style.left = left + "%";
      shaft.style.width = width + "%";
      if (width > 60) packet.style.textAlign = "center";
      else if (left < 30) packet.style.textAlign = "left";
      else packet.style.textAlign = "right";
      packet.append(label, shaft);
      return packet;
    }

    toggle(step) {
      const open = step.querySelector(".detail");
      if (open) {
        open.remove();
        return;
      }
      const r = step.row.rung, lines = [`${(r.at / second).toFixed(6)} s  ${r.host < 0 ? "" : this.data.hosts[r.host]}  ${r.text}`];
      if (r.frames) {
        lines.push(`arrived at ${this.data.hosts[r.to]} at ${(r.arrived / second).toFixed(6)} s${r.end ? ", " + r.end + " there" : ""}`);
        if (this.data.files) lines.push(`frame ${r.frames.join(", ")} of ${this.data.files}`);
      }
      const detail = element("div", "detail", lines.join("\n") + "\n"), link = element("a", "", "a link to this instant");
      link.href = "#" + step.id;
      detail.append(link);
      step.append(detail);
    }

    key(e) {
      const step = e.target.closest && e.target.closest(".step");
      if (!step) return;
      const rows = this.rows.filter(r => !r.element.hidden).map(r => r.element);
      rows.sort((a, b) => a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1);
      const at = rows.indexOf(step);
      const next = {ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 20, PageUp: at - 20, Home: 0, End: rows.length - 1}[e.key];
      if (e.target.closest("a")) return;
      if (e.key === "Enter") this.toggle(step);
      else if (next !== undefined) this.focus(rows[Math.max(0, Math.min(rows.length - 1, next))]);
      else return;
      e.preventDefault();
    }

    focus(step) {
      for (const row of this.rows) if (row.element.tabIndex === 0) row.element.tabIndex = -1;
      step.tabIndex = 0;
      step.focus();
    }
  }

  const open = details => {
    const data = ladders.get(details.id);
    if (!data || details.ladder) return;
    details.ladder = new Ladder(data, details.querySelector(".steps"));
  };
  for (const details of document.querySelectorAll("details.ladder")) {
    details.addEventListener("toggle", () => details.open && open(details));
    if (details.open) open(details);
  }
  // A link names a ladder, or an event of one: #ladder-3, #ladder-3-17.
  const follow = () => {
    const name = location.hash.slice(1), id = name.replace(/^(ladder-\d+)-\d+$/, "$1");
    const details = id && document.getElementById(id);
    if (!details || !details.matches("details.ladder")) return;
    open(details);
    details.open = true;
    if (!document.getElementById(name)) for (const button of details.querySelectorAll(".unfold")) button.click();
    const target = document.getElementById(name) || details;
    target.scrollIntoView();
    if (target !== details) details.ladder.focus(target);
  };
  window.addEventListener("hashchange", follow);
  window.addEventListener("beforeprint", () => document.querySelectorAll("details.recipe, details.glossary").forEach(d => { d.open = true; }));
  follow();
  document.documentElement.dataset.ready = "yes";
})();
