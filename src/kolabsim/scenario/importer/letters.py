"""Which encoding a text has, by the letters and words of the languages that are written in it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from functools import reduce

from kolabsim.scenario.importer import words

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by their byte-order marks; the longer marks of UTF-32 come first."""
SAMPLE = 50_000
"""Most bytes by which an encoding is recognised."""
WESTERN = (
    "äöüß", "àâçèéêëîïôùûüœÿ", "áéíñóúü", "àáâãçéêíóôú", "àèéìòù", "ëïéèöüê", "åæøéö", "åäöé",
    "áéíóúýþæöð", "äõöü", "àçèéíïòóúü",
)  # fmt: skip
"""Letters beyond ASCII of German, French, Spanish, Portuguese, Italian, Dutch, ... Catalan."""
CENTRAL = (
    "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čšž", "čćđšž", "ăâîșşțţ",
    "äöüß",
)  # fmt: skip
"""Those of Polish, Czech, Slovak, Hungarian, Slovene, Croatian, Romanian."""
BALTIC, TURKISH = ("ąčęėįšųūž", "āčēģīķļņšūž", "äõöüšž"), ("çğıöşüâîi̇",)
CYRILLIC, GREEK = (
    ("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ",),
    ("αβγδεζηθικλμνξοπρςστυφχψωάέήίόύώϊϋ",),
)
HEBREW, ARABIC = ("אבגדהוזחטיךכלםמןנסעףפץצקרשת",), ("ءآأؤإئابةتثجحخدذرزسشصضطظعغـفقكلمنهوىيپچژگ",)
THAI = ("".join(map(chr, range(0x0E01, 0x0E5C))),)
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "cp1252": WESTERN,
    "cp1250": CENTRAL,
    "iso8859_2": CENTRAL,
    "cp1254": TURKISH,
    "cp1257": BALTIC,
    "mac_roman": WESTERN,
    "cp850": WESTERN,
    "cp852": CENTRAL,
    "cp857": TURKISH,
    "cp1251": CYRILLIC,
    "koi8_u": CYRILLIC,
    "iso8859_5": CYRILLIC,
    "cp866": CYRILLIC,
    "cp1253": GREEK,
    "cp1255": HEBREW,
    "cp1256": ARABIC,
    "cp874": THAI,
}
"""Letters of the languages of an encoding, the most common encoding first."""
WIDE: Mapping[str, tuple[tuple[int, int, int, int], ...]] = {
    "cp932": ((0x82, 0x83, 0x40, 0xFC), (0x88, 0x97, 0x40, 0xFC)),
    "cp949": ((0xB0, 0xC8, 0xA1, 0xFE),),
    "gb18030": ((0xB0, 0xD7, 0xA1, 0xFE),),
    "euc_jp": ((0xA4, 0xA5, 0xA1, 0xFE), (0xB0, 0xCF, 0xA1, 0xFE)),
    "big5": ((0xA4, 0xC6, 0x40, 0xFE),),
}
"""Ranges of the first and second bytes of common letters in encodings with two bytes a letter."""
NEUTRAL = frozenset("’‘“”–—…°²³€£§«»·ºª\u00a0\u00ad•†×¹„‚№")
"""Signs that say nothing about an encoding, except within a word."""
KNOWN = reduce(
    frozenset.union,
    (words.PEOPLE, words.PEOPLE_WEAK, words.NAMES, words.UNITS, words.TIERS, words.SURFACES,
     words.CODES, words.MALE, words.FEMALE, words.YEARS),
)  # fmt: skip
"""Words that a table of regions has."""


def guess_encoding(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the likely encoding of a text that is not UTF-8, and others that fit as well.

    An encoding in which known words appear, such as 'Ludność', comes before one whose letters fit.
    """
    lines = [line for line in data.splitlines() if not line.isascii()]
    sample = b"\n".join(lines)[:SAMPLE]
    sample = sample[: sample.rfind(b"\n")] if len(sample) == SAMPLE else sample
    texts, scores = {}, {}
    for name in (*LANGUAGES, *WIDE):
        try:
            texts[name] = sample.decode(name, "strict" if name in WIDE else "replace")
        except UnicodeError:
            continue
        letters = score_wide(sample, name) if name in WIDE else score_letters(texts[name], name)
        scores[name] = letters + (0.2 * min(count_known(texts[name]), 10) if letters > 0.3 else 0)
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > 0.5:
        same = scores[best] - 0.05
        return best, tuple(n for n in scores if scores[n] > same and texts[n] != texts[best])
    beyond = {letter for letter in texts["cp1252"].lower() if letter.isalpha() and letter > "\x7f"}
    if beyond <= set("".join(WESTERN)):  # names in several languages, of which none fits alone
        return "cp1252", (best,) if best != "cp1252" else ()
    from charset_normalizer import from_bytes

    found = from_bytes(sample).best()
    return ("cp1252" if found is None else str(found.encoding)), (best,)


def count_known(text: str) -> int:
    """Return how many words beyond ASCII are words that a table of regions has."""
    found = list(set(re.findall(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*", text)))[:2000]
    return sum(
        words.is_among(words.plain(word), KNOWN)
        for word in found
        if len(word) > 2 or word > "\u2e7f"
    )


def score_wide(sample: bytes, encoding: str) -> float:
    """Return the share of common letters among those of two bytes, up to 1."""
    good = number = 0
    for run in re.finditer(rb"(?:[\x81-\xfe][\x40-\xfe])+|[\x80-\xff]", sample):
        pairs = zip(run[0][::2], run[0][1::2], strict=False)
        beside = sample[max(run.start() - 1, 0) : run.start()] + sample[run.end() : run.end() + 1]
        number += (len(run[0]) + 1) // 2
        if not beside.isalpha():  # no words of both scripts
            good += sum(any(a <= x <= b and c <= y <= d for a, b, c, d in WIDE[encoding])
                        for x, y in pairs)  # fmt: skip
    return good / number if number else 0.0


def score_letters(text: str, encoding: str) -> float:
    """Return how well the letters beyond ASCII fit a language of an encoding, up to 1."""
    languages, number = LANGUAGES[encoding], 0
    points, is_latin = [0.0] * len(languages), languages in (WESTERN, CENTRAL, BALTIC, TURKISH)
    for found in re.finditer(r"[^\x00-\x7f]+", text):
        run, start, end = found[0], found.start(), found.end()
        before, after = text[start - 1 : start], text[end : end + 1]
        touches = before.isalpha() or after.isalpha() or (before.isdigit() and after.isdigit())
        for place, letter in enumerate(run):
            if letter in NEUTRAL:
                if before.isalpha() and after.isalpha() and len(run) <= 2 and letter not in "’·":
                    number += 1
                    points = [one - 1.0 for one in points]
                continue
            number += 1
            left, right = run[:place][-1:] or before, run[place + 1 :][:1] or after
            fits = 1.0
            is_odd = len(run) > 2 if is_latin else touches
            if is_odd or (letter.isupper() and (left.islower() or (left and right.isdigit()))):
                fits = -1.0
            elif is_latin and letter.islower() and not (left.isalpha() or right.islower()):
                fits = -0.5
            for k, letters in enumerate(languages):
                points[k] += fits if letter.lower() in letters else -1.0
    if not number:
        return 0.6
    return max(points) / number * (0.9 if languages in (HEBREW, ARABIC, THAI) else 1.0)
