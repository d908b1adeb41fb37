// Runs in the browser: the grey values of a film and how large it is. Nothing of that is asked of the server, and what
// lies over the film, the map and the ring, moves and grows with it.

const ALL_GREYS = { level: 127.5, window: 255 };
// How large a film can be, by how much a key enlarges it, and the steps of the slider that a size is rounded to.
const WHOLE = 1, LARGEST = 8, STEP = 1.25, ROUNDED = 0.25;
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const VIEWERS = new WeakMap();

const between = (low, value, high) => Math.min(Math.max(value, low), high);

// A key that a slider moves by is the slider's alone; a letter or a number may be a shortcut of the page, which listens to
// none that is pressed in an input. A key that is held down is one key: what it does would run through the films.
function handOn(event) {
  event.stopPropagation();
  if (event.repeat || event.key.length > 1 || event.ctrlKey || event.metaKey || event.altKey) return;
  const { key, code, shiftKey } = event;
  const copy = new KeyboardEvent("keydown", { key, code, shiftKey, bubbles: true, cancelable: true });
  event.currentTarget.getRootNode().host.dispatchEvent(copy);
}

class Viewer {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    for (const name of ["frame", "sheet", "film", "map", "ring"]) this[name] = this.part(name);
    this.paper = this.film.getContext("2d");
    Object.assign(this, ALL_GREYS, { zoom: WHOLE, greys: null, shown: {} });
    for (const name of ["level", "window", "zoom"]) {
      const slider = this.part(name);
      slider.addEventListener("input", () => this.change({ [name]: Number(slider.value) }));
      slider.addEventListener("keydown", handOn);
      slider.addEventListener("pointerup", () => slider.blur()); // the next key is the page's again
    }
    this.part("reset").addEventListener("click", () => this.change({ ...ALL_GREYS, zoom: WHOLE }));
    this.frame.addEventListener("keydown", (event) => this.keyPressed(event));
    this.frame.addEventListener("pointerdown", (event) => this.dragged(event));
    this.frame.addEventListener("dblclick", (event) => this.enlarge(event.shiftKey ? 1 / 2 : 2, event));
    this.frame.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
  }

  // What the server says: a film, what it is called, what lies over it, and the grey values to begin with.
  async show({ film, alt, map, opacity, ring, greys }) {
    this.film.setAttribute("aria-label", alt);
    this.frame.setAttribute("aria-label", "The film, enlarged by + and -, whole by 0, moved by the arrow keys");
    this.map.hidden = !map;
    if (map) Object.assign(this.map, { src: map }).style.opacity = opacity;
    this.drawRing(ring);
    const asked = JSON.stringify(greys);
    if (greys && asked !== this.shown.greys) {
      this.change({ level: (greys[0] + greys[1]) / 2, window: greys[1] - greys[0] });
    }
    const isNew = film !== this.shown.film;
    this.shown = { film, greys: asked };
    if (isNew) await this.load(film);
  }

  async load(film) {
    const picture = new Image();
    picture.src = film;
    const isPicture = await picture.decode().then(() => true, () => false);
    if (film !== this.shown.film) return; // another one came meanwhile
    if (!isPicture) return this.showNone();
    Object.assign(this.film, { width: picture.naturalWidth, height: picture.naturalHeight });
    this.paper.drawImage(picture, 0, 0);
    const colors = this.paper.getImageData(0, 0, this.film.width, this.film.height).data;
    this.greys = Uint8Array.from({ length: colors.length / 4 }, (_, place) => colors[4 * place]);
    this.frame.style.aspectRatio = `${this.film.width} / ${this.film.height}`;
    this.ring.setAttribute("viewBox", `0 0 ${this.film.width} ${this.film.height}`);
    this.change({ zoom: WHOLE });
  }

  // No film rather than the former one under the name of another; the next that is said of it tries it again.
  showNone() {
    this.paper.clearRect(0, 0, this.film.width, this.film.height);
    Object.assign(this, { greys: null }).shown.film = null;
  }

  drawRing(ring) {
    this.ring.toggleAttribute("hidden", !ring);
    if (!ring) return;
    for (const circle of this.ring.children) {
      ["cx", "cy", "r"].forEach((name, place) => circle.setAttribute(name, ring[place]));
    }
  }

  // Take a new level, window or zoom; what stands at `at`, or in the middle, stays where it is.
  change({ level = this.level, window = this.window, zoom = this.zoom }, at) {
    Object.assign(this, { level: between(0.5, level, 254.5), window: between(1, window, 255) });
    this.rescale(between(WHOLE, ROUNDED * Math.round(zoom / ROUNDED), LARGEST), at);
    this.tell("level", this.level, Math.round(this.level));
    this.tell("window", this.window, Math.round(this.window));
    this.tell("zoom", this.zoom, `${this.zoom}×`);
    cancelAnimationFrame(this.waiting);
    this.waiting = requestAnimationFrame(() => this.draw());
  }

  tell(name, value, words) {
    const slider = this.part(name);
    slider.value = value;
    slider.setAttribute("aria-valuetext", words);
    this.part(`${name}-told`).textContent = words;
  }

  // Spread the grey values of the window from black to white.
  draw() {
    if (!this.greys) return;
    const low = this.level - this.window / 2;
    const table = Uint8ClampedArray.from({ length: 256 }, (_, grey) => (255 * (grey - low)) / this.window);
    const drawn = this.paper.createImageData(this.film.width, this.film.height);
    this.greys.forEach((grey, place) => drawn.data.fill(table[grey], 4 * place, 4 * place + 3));
    for (let place = 3; place < drawn.data.length; place += 4) drawn.data[place] = 255;
    this.paper.putImageData(drawn, 0, 0);
  }

  rescale(zoom, at) {
    const { frame } = this;
    const [x, y] = at ?? [frame.clientWidth / 2, frame.clientHeight / 2];
    const [left, top] = [(frame.scrollLeft + x) / this.zoom, (frame.scrollTop + y) / this.zoom];
    this.zoom = zoom;
    Object.assign(this.sheet.style, { width: `${100 * zoom}%`, height: `${100 * zoom}%` });
    frame.classList.toggle("whole", zoom === WHOLE);
    frame.scrollTo(left * zoom - x, top * zoom - y);
  }

  enlarge(times, event) {
    const place = this.frame.getBoundingClientRect();
    this.change({ zoom: this.zoom * times }, event && [event.clientX - place.left, event.clientY - place.top]);
  }

  keyPressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") this.enlarge(STEP);
    else if (event.key === "-") this.enlarge(1 / STEP);
    else if (event.key === "0") this.change({ zoom: WHOLE });
    else if (!(ARROWS.includes(event.key) && this.zoom > WHOLE)) return;
    event.stopPropagation();
  }

  wheeled(event) {
    if (!event.ctrlKey) return; // the page is scrolled
    event.preventDefault();
    this.enlarge(event.deltaY < 0 ? STEP : 1 / STEP, event);
  }

  // A drag moves the film, with Shift it changes window and level; a finger scrolls as it does everywhere.
  dragged(event) {
    if (event.button || event.pointerType === "touch") return;
    const { level, window, frame } = this, from = [frame.scrollLeft + event.clientX, frame.scrollTop + event.clientY];
    event.preventDefault(); // no text is selected
    frame.setPointerCapture(event.pointerId);
    const move = (to) => {
      if (!event.shiftKey) return frame.scrollTo(from[0] - to.clientX, from[1] - to.clientY);
      this.change({ window: window + to.clientX - event.clientX, level: level - to.clientY + event.clientY });
    };
    frame.addEventListener("pointermove", move);
    frame.addEventListener("lostpointercapture", () => frame.removeEventListener("pointermove", move), { once: true });
  }
}

export default function ({ data, parentElement }) {
  let viewer = VIEWERS.get(parentElement);
  if (!viewer?.frame.isConnected) {
    viewer = new Viewer(parentElement);
    VIEWERS.set(parentElement, viewer);
  }
  viewer.show(data);
}
