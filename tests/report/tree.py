"""A page as a tree, strictly read: what a browser would mend in silence is refused."""

from __future__ import annotations

from html.parser import HTMLParser

from ssegauge.report.html_report import html

VOID = {"br", "col", "link", "meta", "wbr"}


class Node:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.children, self.own = tag, dict(attributes), parent, [], []

    def all(self, tag=None, **attributes):
        found = []
        for child in self.children:
            if tag in {None, child.tag} and all(
                child.attributes.get(key.rstrip("_")) == value for key, value in attributes.items()
            ):
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def one(self, tag=None, **attributes):
        (found,) = self.all(tag, **attributes)
        return found

    @property
    def text(self):
        return " ".join("".join(part if isinstance(part, str) else part.text for part in self.own).split())


class Tree(HTMLParser):
    """Refuses what is not properly closed: what a browser would mend silently."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Node("", {}, None)
        self.feed(text)
        self.close()
        assert self.at is self.root

    def handle_starttag(self, tag, attrs):
        node = Node(tag, attrs, self.at)
        self.at.children.append(node)
        self.at.own.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag):
        assert tag == self.at.tag
        self.at = self.at.parent

    def handle_data(self, data):
        if self.at.tag not in {"script", "style"}:
            self.at.own.append(data)


def parsed(*documents, **options):
    return Tree(html(documents, **options)).root
