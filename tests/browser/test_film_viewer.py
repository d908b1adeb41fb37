"""A film's level, window and zoom, by keyboard and mouse, in the browser alone; map and ring stay where they belong."""

import io
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from served_dashboard import at_rest, wait_for
from small_demo import give_weights

from cxr_core.models.activation_maps import ActivationMaps
from cxr_core.models.kept_maps import keep_maps, kept_path
from cxr_core.schema import LABELS
from cxr_core.sources.registry import get_source
from cxr_core.stamps import file_stamp
from cxr_core.tasks.image_record import image_record
from cxr_core.tasks.images import ImageQuery, images

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
MODEL = "densenet_frontal_u0_0__w0_0"
#: The place that adds most, of 3 x 4: its middle is at 7/8 of the width and at 1/2 of the height.
ROW, COLUMN = 1, 3
PIXELS = """canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"""
IS_DRAWN = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"""
#: The film as it is drawn.
WHOLE = "canvas => canvas.toDataURL()"
#: Where ring and map are in the film, in shares of its width and height.
PLACES = """film => {
  const whole = film.getBoundingClientRect(), root = film.getRootNode();
  const share = (place) => [(place.left - whole.left) / whole.width, (place.top - whole.top) / whole.height,
                            place.width / whole.width, place.height / whole.height];
  return {ring: share(root.querySelector('circle').getBoundingClientRect()),
          map: share(root.querySelector('img').getBoundingClientRect()), width: whole.width};
}"""

#: A key scrolls smoothly: wait until it has begun, and until nothing moves any more.
COMES_TO_REST = """(one, from) => new Promise((done) => {
  let last = from;
  const timer = setInterval(() => {
    if (one.scrollLeft !== from && one.scrollLeft === last) { clearInterval(timer); done(); }
    last = one.scrollLeft;
  }, 200);
})"""


@pytest.fixture
def film(own_small_demo):
    """A film whose map is kept already, so that nobody waits for TensorFlow; the path and the JPEG."""
    give_weights(MODEL)
    path = images(ImageQuery("demo", "fracture", "blank", MODEL, limit=1)).listed[0].path
    jpg = image_record("demo", path).jpg
    shares = np.zeros((len(LABELS), 3, 4), np.float32)
    shares[:, ROW, COLUMN] = 2
    weights = get_source("demo").model_path(MODEL)
    keep_maps(
        kept_path(weights, file_stamp(weights), jpg, random=False), ActivationMaps(shares, shares, shares[:, 0, 0])
    )
    return path, jpg


@pytest.fixture
def shown(page, dashboard, film):
    """A page that shows the film with its map."""
    dashboard.start()
    asked = {"model": MODEL, "label": "fracture", "group": "blank", "image": film[0], "map": "true"}
    page.goto(f"{dashboard.url}/images?{urlencode(asked)}")
    expect(canvas(page)).to_be_visible()
    at_rest(page)
    return page


def read_by_ann(page, dashboard):
    dashboard.start()
    page.goto(f"{dashboard.url}/images?mode=read&reader=ann&group=blank&label=fracture")
    expect(page.get_by_role("img", name="Film 1")).to_be_visible()
    at_rest(page)


def canvas(page, name="The film with the map of fracture"):
    return page.get_by_role("img", name=name)


def frame(page):
    return page.get_by_role("group", name="The film, enlarged by")


def slider(page, name):
    return page.get_by_role("slider", name=name, exact=True)


def says(page, name, words):
    expect(slider(page, name)).to_have_attribute("aria-valuetext", words)


def drawn(page, *name):
    """The grey values as they are drawn, once they have been."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    colors = np.array(canvas(page, *name).evaluate(PIXELS)).reshape(-1, 4)
    assert (colors[:, 0] == colors[:, 2]).all() and (colors[:, 3] == 255).all()
    return colors[:, 0]


def test_level_and_window_spread_the_grey_values_by_keyboard_and_nobody_asks_the_server(shown, film):
    grey = np.asarray(Image.open(io.BytesIO(film[1])).convert("L"), float).ravel()
    assert drawn(shown).tolist() == grey.tolist()
    shown.asked.clear()
    slider(shown, "Window").focus()
    for _ in range(155):
        shown.keyboard.press("ArrowLeft")
    slider(shown, "Level").focus()
    for _ in range(27):
        shown.keyboard.press("ArrowLeft")
    says(shown, "Window", "100")
    low, high = 100.5 - 50, 100.5 + 50
    expected = np.clip(255 * (grey - low) / (high - low), 0, 255)
    assert np.abs(drawn(shown) - expected).max() <= 0.5, "rounded, and nothing else"
    shown.get_by_role("button", name="Reset").press("Enter")
    assert drawn(shown).tolist() == grey.tolist()
    assert shown.asked == []


def test_ring_and_map_stay_on_their_place_however_large_the_film_is(shown):
    before = canvas(shown).evaluate(PLACES)
    left, top, width, height = before["ring"]
    assert (left + width / 2, top + height / 2) == pytest.approx(((COLUMN + 0.5) / 4, (ROW + 0.5) / 3), abs=0.01)
    assert before["map"] == pytest.approx([0, 0, 1, 1], abs=0.005)
    frame(shown).focus()
    for _ in range(4):
        shown.keyboard.press("+")
    says(shown, "Zoom", "2.5×")
    after = canvas(shown).evaluate(PLACES)
    assert after["width"] > 2 * before["width"]
    assert after["map"] == pytest.approx([0, 0, 1, 1], abs=0.005)
    assert after["ring"] == pytest.approx(before["ring"], abs=0.01)
    shown.keyboard.press("0")
    says(shown, "Zoom", "1×")
    assert canvas(shown).evaluate(PLACES)["width"] == pytest.approx(before["width"], abs=1)


def test_an_enlarged_film_is_moved_by_arrow_keys_and_by_a_drag(shown):
    def at():
        return frame(shown).evaluate("one => [one.scrollLeft, one.scrollTop]")

    frame(shown).focus()
    shown.keyboard.press("+")
    shown.keyboard.press("+")
    left, top = at()
    assert left > 0 and top > 0, "what was in the middle is there still"
    shown.keyboard.press("ArrowRight")
    frame(shown).evaluate(COMES_TO_REST, left)
    frame(shown).scroll_into_view_if_needed()
    box, (left, top) = frame(shown).bounding_box(), at()
    x, y = box["x"] + box["width"] / 2, box["y"] + 60
    shown.mouse.move(x, y)
    shown.mouse.down()
    shown.mouse.move(x + 30, y + 20)
    shown.mouse.up()
    assert at() == pytest.approx([left - 30, top - 20], abs=1)
    shown.keyboard.down("Shift")
    shown.mouse.down()
    shown.mouse.move(x + 10, y + 20)
    shown.mouse.up()
    shown.keyboard.up("Shift")
    says(shown, "Window", "235")


def test_the_wheel_over_a_whole_film_scrolls_the_page_and_with_ctrl_enlarges_the_film(shown):
    def scrolled():
        return shown.get_by_test_id("stMain").evaluate("one => one.scrollTop")

    frame(shown).scroll_into_view_if_needed()
    box, before = frame(shown).bounding_box(), scrolled()
    shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    shown.mouse.wheel(0, 120)
    wait_for(lambda: scrolled() > before, 30, "the page is scrolled")
    says(shown, "Zoom", "1×")
    box = frame(shown).bounding_box()
    shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.keyboard.down("Control")
    shown.mouse.wheel(0, -120)
    shown.keyboard.up("Control")
    says(shown, "Zoom", "1.25×")


def test_level_and_zoom_stay_when_the_map_goes(shown):
    slider(shown, "Level").focus()
    shown.keyboard.press("PageDown")
    told = slider(shown, "Level").get_attribute("aria-valuetext")
    assert told != "128"
    frame(shown).focus()
    shown.keyboard.press("+")
    shown.get_by_role("switch", name="Where the model looks").press("Space")
    expect(shown.get_by_role("img", name="The film", exact=True)).to_be_visible()
    says(shown, "Level", told)
    says(shown, "Zoom", "1.25×")
    assert shown.locator("[data-part=ring]").is_hidden() and shown.locator("[data-part=map]").is_hidden()


def test_arrow_keys_move_a_slider_of_a_film_that_is_read_and_go_to_the_next_film_elsewhere(page, dashboard, film):
    read_by_ann(page, dashboard)
    slider(page, "Level").focus()
    page.keyboard.press("ArrowLeft")
    says(page, "Level", "127")
    expect(page.get_by_role("img", name="Film 1")).to_be_visible()
    page.keyboard.press("w")  # the slider has the focus still
    says(page, "Window", "144")
    at_rest(page)
    page.keyboard.press("1")
    expect(page.get_by_text("1 of ")).to_be_visible()
    expect(page.get_by_role("img", name="Film 2")).to_be_visible()
    says(page, "Window", "144")
    at_rest(page)
    page.get_by_role("button", name="Reset").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("img", name="Film 3")).to_be_visible()


def test_a_verdict_key_that_is_held_down_on_a_slider_is_one_verdict(page, dashboard, film):
    read_by_ann(page, dashboard)
    page.evaluate("() => { window.heard = []; addEventListener('keydown', (event) => heard.push(event.key)); }")
    slider(page, "Level").focus()
    page.keyboard.down("1")
    expect(page.get_by_role("img", name="Film 2")).to_be_visible()
    at_rest(page)
    slider(page, "Level").focus()
    page.keyboard.down("1")  # held down still: the browser says so of the key
    page.keyboard.up("1")
    page.keyboard.press("w")
    assert page.evaluate("() => heard") == ["1", "w"]
    at_rest(page)
    expect(page.get_by_role("img", name="Film 2")).to_be_visible()
    expect(page.get_by_text("1 of ")).to_be_visible()


def test_a_film_that_cannot_be_drawn_leaves_no_other_under_its_name(page, dashboard, film):
    failed = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    read_by_ann(page, dashboard)
    wait_for(lambda: canvas(page, "Film 1").evaluate(IS_DRAWN), 30, "the first film is drawn")
    first = canvas(page, "Film 1").evaluate(WHOLE)
    page.evaluate("""() => {
      const decode = HTMLImageElement.prototype.decode;
      HTMLImageElement.prototype.decode = function () {
        HTMLImageElement.prototype.decode = decode;
        return Promise.reject(new DOMException("no picture", "EncodingError"));
      };
    }""")
    page.keyboard.press("ArrowRight")
    second = canvas(page, "Film 2")
    expect(second).to_be_visible()
    at_rest(page)
    wait_for(lambda: not second.evaluate(IS_DRAWN), 30, "nothing is drawn")
    slider(page, "Level").press("ArrowLeft")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert not second.evaluate(IS_DRAWN), "nor by another level"
    slider(page, "Level").press("ArrowRight")
    page.get_by_role("button", name="Reset").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("img", name="Film 1")).to_be_visible()
    at_rest(page)
    wait_for(lambda: canvas(page, "Film 1").evaluate(IS_DRAWN), 30, "the next film is drawn")
    assert canvas(page, "Film 1").evaluate(WHOLE) == first
    assert failed == []
