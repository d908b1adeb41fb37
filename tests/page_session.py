"""A person at the dashboard without a browser: a web socket that speaks as Streamlit's page does.

A browser of its own for each of fifty would be what is measured. What a page sends back is kept as far as a next click
needs it: sliders and buttons with the part of the page that they redraw, and messages that need not be sent again.
"""

import asyncio
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

#: How a drawing ends; the others say that it is followed by another one.
_DRAWN = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)

#: Seconds without a word of the server after which nothing will come any more.
_PATIENCE = 60.0


class PageSession:
    """One open page; `errors` are what it showed or broke off with."""

    def __init__(self, socket: ClientConnection, page: str, query: dict[str, str]) -> None:
        self._socket, self._page, self._query = socket, page, query
        self._script = ""
        self._hashes: set[str] = set()
        self.errors: list[str] = []
        self.bytes = 0
        #: Label -> ID, and ID of the part of the page that it redraws.
        self.sliders: dict[str, tuple[str, str]] = {}
        self.buttons: dict[str, tuple[str, str]] = {}

    @classmethod
    async def opened(cls, url: str, page: str, query: dict[str, str]) -> "PageSession":
        """Connect to a dashboard; nothing is drawn yet."""
        host = urlsplit(url).netloc
        address = f"ws://{host}/_stcore/stream"
        socket = await connect(address, subprotocols=["streamlit"], origin=url, max_size=None, compression=None)
        return cls(socket, page, query)

    async def close(self) -> None:
        """Close the tab."""
        await self._socket.close()

    async def draw(self) -> float:
        """Draw the whole page, and return how many seconds it took."""
        return await self._run([], "")

    async def move(self, label: str, value: float, parameter: str) -> float:
        """Move the slider whose label begins so; return after how many seconds all that it redraws was there."""
        name = next(name for name in self.sliders if name.startswith(label))
        widget, part = self.sliders[name]
        self._query[parameter] = f"{value:g}"
        state = WidgetState(id=widget)
        state.double_array_value.data.append(value)
        return await self._run([state], part)

    async def press(self, label: str) -> float:
        """Press a button; return after how many seconds the page was drawn."""
        widget, part = self.buttons[label]
        return await self._run([WidgetState(id=widget, trigger_value=True)], part)

    async def _run(self, states: list[WidgetState], part: str) -> float:
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string, asked.fragment_id = urlencode(self._query), part
        asked.page_script_hash, asked.page_name = self._script, "" if self._script else self._page
        asked.widget_states.widgets.extend(states)
        asked.cached_message_hashes.extend(self._hashes)
        start = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        while True:
            content = await asyncio.wait_for(self._socket.recv(), _PATIENCE)
            self.bytes += len(content)
            said = ForwardMsg.FromString(content if isinstance(content, bytes) else content.encode())
            self._take(said)
            if said.WhichOneof("type") == "script_finished" and said.script_finished in _DRAWN:
                return time.perf_counter() - start

    def _take(self, said: ForwardMsg) -> None:
        kind = said.WhichOneof("type")
        if said.hash and said.metadata.cacheable:
            self._hashes.add(said.hash)
        if kind == "new_session":
            self._script = said.new_session.page_script_hash
        elif kind == "script_finished" and said.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.errors.append("the script does not compile")
        elif kind == "delta" and said.delta.WhichOneof("type") == "new_element":
            self._take_element(said.delta.new_element, said.delta.fragment_id)

    def _take_element(self, element: Any, part: str) -> None:
        match element.WhichOneof("type"):
            case "slider":
                self.sliders[element.slider.label] = element.slider.id, part
            case "button":
                self.buttons[element.button.label] = element.button.id, part
            case "exception":
                self.errors.append(f"exception: {element.exception.message}")
            case "alert" if element.alert.format == Alert.ERROR:
                self.errors.append(element.alert.body)
