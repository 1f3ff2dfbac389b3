"""Codes and titles as people see them: which ones look the same, and how to tell them apart."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

K = TypeVar("K")


def plain(text: str) -> str:
    r"""Return a text as it looks: letters composed, without invisible characters.

    >>> plain("C\u0327a\u200b") == "\u00c7a"
    True
    """
    if text.isascii():  # of which all letters are composed and visible
        return text.strip()
    visible = (letter for letter in text if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFC", "".join(visible)).strip()


def tell_apart(titles: Mapping[K, str]) -> dict[K, str]:
    """Return titles by key; those that look the same have their key added.

    >>> tell_apart({"3273": "Bandung", "3204": "Bandung", "3277": "Cimahi"})
    {'3273': 'Bandung (3273)', '3204': 'Bandung (3204)', '3277': 'Cimahi'}
    """
    found = {key: title if plain(title) else str(key) for key, title in titles.items()}
    for _time in range(3):  # what is added may make others the same
        times = Counter(map(plain, found.values()))
        found = {
            key: f"{title} ({key})" if times[plain(title)] > 1 else title
            for key, title in found.items()
        }
    return found
