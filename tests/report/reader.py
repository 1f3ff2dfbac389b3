"""A page of a report as its readers meet it: its tags, headings and text."""

import html
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

from kolabsim.figures.style import to_svg
from kolabsim.report.html import render
from kolabsim.report.page import Page

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Reader(HTMLParser):
    """What a page holds, as a screen reader finds it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.starts, self.headings, self.words = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.starts.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag, attributes):
        self.starts.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "svg"} & set(self.open):
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.starts if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def text_without_figures(page: Page) -> str:
    """The text of a page, quickly: its figures are not rendered."""
    for picture in page.pictures.values():
        vars(picture)["svg"] = "<svg></svg>"
    return html.unescape(Reader(render(page)).text)


def figure_text(figure) -> str:
    """The words in a figure."""
    return svg_text(to_svg(figure, alt="a figure"))


def svg_text(svg: str) -> str:
    """The words in a picture."""
    nodes = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return " ".join("".join(node.itertext()) for node in nodes)
